import path from "node:path";
import { test } from "node:test";
import { becomesCurrent, becomesEqual, fleetOf, push, start, startAll } from "../support/catching-up.ts";
import { shell } from "../support/command-scenarios.ts";
import type { Host } from "../support/host.ts";
import { namespaceProblem } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";

const skip = await namespaceProblem();

/** A host that was away gets what it has missed in bounded time, whatever others push meanwhile. */

/** Pushes a new file and a changed one from the hosts in turn, one push after the other, until somebody stops it. */
function pushAllTheTime(hosts: readonly Host[]): { readonly stop: () => Promise<number> } {
  let isStopped = false;
  const pushing = (async () => {
    let count = 0;
    for (; !isStopped; count++) {
      const host = hosts[count % hosts.length]!;
      await shell(host, `echo ${count} > www/new${count} && echo ${count} > www/same`);
      await push(host, "-r", `www/new${count}`, "www/same");
    }
    return count;
  })();
  const stop = () => {
    isStopped = true;
    return pushing;
  };
  return { stop };
}

test(
  "a large push arrives at a late host while others push all the time",
  { skip, timeout: 180_000 },
  async (context) => {
    const fleet = await fleetOf(3, { speed: "200mbit" });
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as [Host, Host, Host];
    await startAll(fleet, [one, two]);
    await shell(one, "mkdir www && head -c 60000000 /dev/urandom > www/big && echo 0 > www/same");
    await push(one, "-r", "--delete", "www");
    const pushes = pushAllTheTime([one, two]);
    await start(fleet, three);
    await eventually(
      "host3 has it",
      async () =>
        (await three.run("cmp", ["-s", "/var/www/www/big", path.join(one.base, "www/big")])).status === 0,
      60_000,
    ).finally(async () => context.diagnostic(`${await pushes.stop()} pushes meanwhile`));
    await becomesCurrent(three, one);
    await becomesEqual(one, 60);
  },
);
