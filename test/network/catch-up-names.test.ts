import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fleetOf, push, says, start, withoutWarnings } from "../support/catching-up.ts";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem } from "../support/namespaces.ts";

const skip = await namespaceProblem();

/** Which hosts `msync --catch-up` means, and what it does about those that are not there. */

test("hosts that catch up are named like targets, the own host among them", { skip }, async (context) => {
  const fleet = await fleetOf(3);
  context.after(() => fleet.destroy());
  const [one, two, three] = fleet.hosts as [Host, Host, Host];
  for (const host of [one, two]) await start(fleet, host);
  // It has no state directory.
  await three.start("--state", "/var/lib/makuosan");
  await acquainted(fleet.hosts);
  const answer = async (...names: string[]) => {
    const { status, stdout, stderr } = await one.msync("--catch-up", ...names);
    return { status, hosts: stdout.split("\n").slice(0, -1), errors: withoutWarnings(stderr) };
  };
  const own = { status: 0, hosts: ["host1: current"], errors: "" };
  assert.deepEqual([await answer(), await answer("host1"), await answer(one.ip)], [own, own, own]);
  const both = { ...own, hosts: ["host1: current", "host2: current"] };
  assert.deepEqual([await answer("host2", "host1"), await answer("host[12]")], [both, both]);
  assert.deepEqual(await answer("host9", "host2", "host3", "@web"), {
    status: 3,
    hosts: ["host2: current"],
    errors:
      "error: host9 is not a member: 'msync --members' lists those that are there\n" +
      "error: @web is not a member: 'msync --members' lists those that are there\n" +
      "error: host3 has told no log of pushes, so it does not catch up: 'msync --status' on it says why\n",
  });
  const { stdout } = await one.msync("--catch-up", "--json", "host2", "host9");
  assert.deepEqual(JSON.parse(stdout), {
    result: "catch-up",
    hosts: [{ host: "host2", behind: 0, catchesUp: true }],
    errors: ["host9 is not a member: 'msync --members' lists those that are there"],
    exitStatus: 3,
  });
});

test(
  "a host says of itself what others say of it, in the language of the user",
  { skip },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as [Host, Host, Host];
    for (const host of [one, three]) await start(fleet, host);
    await acquainted([one, three]);
    fs.writeFileSync(path.join(one.base, "a"), "1");
    await push(one, "a");
    await start(fleet, two, "--no-catch-up");
    await says(one, /^host2 .*, behind 1 since /m);
    await says(two, /^host1 .*, current$/m);
    const [, told] = /^host2 .*, (behind .*)$/m.exec((await one.msync("--members", "-v")).stdout) ?? [];
    const own = async (locale: string) => {
      const { stdout } = await two.run("env", [`LC_ALL=${locale}`, ...two.msyncCommand("--status")]);
      return /^catch-up : (.*)$/m.exec(stdout)?.[1] ?? "";
    };
    assert.equal(await own("C"), `no: ${told ?? ""} (1 push logged)`);
    assert.match(await own("ja_JP.UTF-8"), /^no: \d{4}-\S+ \S+ から 1 件遅れ.*（記録にある配布は 1 件）$/);
  },
);
