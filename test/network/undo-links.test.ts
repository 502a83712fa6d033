import assert from "node:assert/strict";
import { test } from "node:test";
import { shell } from "../support/command-scenarios.ts";
import type { Host } from "../support/host.ts";
import { namespaceProblem } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";
import { allLook, fleetOf, lastUndo, look, msync, start, type Three } from "./undo-fleet.ts";

const skip = await namespaceProblem();

/** Files with several names are the same files again when a push is taken back. */

/** The names of each file of a host that has several. */
async function names(host: Host): Promise<string> {
  const script =
    "cd /var/www && find d -type f -links +1 -printf '%i %p\\n' | sort | " +
    "awk '{ of[$1] = of[$1] \" \" $2; count[$1]++ } END { for (one in of) if (count[one] > 1) print of[one] }' | sort";
  return (await host.run("sh", ["-c", script])).stdout;
}

async function haveNames(hosts: readonly Host[], expected: string): Promise<void> {
  for (const host of hosts)
    await eventually(`${host.name} has ${expected}`, async () => (await names(host)) === expected);
}

const BEFORE = " d/deep/z d/sub/x d/sub/y\n d/first d/next\n d/one d/two\n";

test(
  "files with several names have them again on hosts that take part, on those that follow, and after an undo of the undo",
  { skip, timeout: 180_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as Three;
    await shell(
      one,
      "mkdir -p d/sub d/deep && cd d && echo 1 > one && ln one two && echo f > first && ln first next && " +
        "echo x > sub/x && ln sub/x sub/y && ln sub/x deep/z",
    );
    await msync(one, "-r", "d");
    const first = await look(one);
    await haveNames(fleet.hosts, BEFORE);
    // One name is replaced, in the order of the scan the earlier or the later one; all names of others go, or two of three.
    await shell(
      one,
      "cd d && echo 22 > n && mv n two && echo nn > n && mv n first && rm -r sub && touch new",
    );
    await msync(one, "-r", "--delete", "d");
    const second = await look(one);
    await haveNames(fleet.hosts, "");
    await msync(two, "--undo");
    await allLook(fleet.hosts, first);
    await haveNames(fleet.hosts, BEFORE);
    const undo = await lastUndo(two);
    await three.stop();
    await eventually("host3 has left", async () => (await msync(one, "--members")).includes("Total: 1"));
    await msync(two, "--undo", undo);
    await allLook([one, two], second);
    await haveNames([one, two], "");
    await start(fleet, three);
    await eventually("host3 is like the others", async () => (await look(three)) === second);
    await haveNames([three], "");
    // It has got the last one from another host, and follows as host1 does.
    await eventually(
      "all are current",
      async () => ((await msync(one, "--members", "-v")).match(/, current$/gm) ?? []).length === 2,
    );
    await msync(one, "--undo", await lastUndo(two));
    await allLook(fleet.hosts, first);
    await haveNames(fleet.hosts, BEFORE);
    // The other names are as published, although their inodes have changed with those that came back.
    assert.equal(await msync(one, "--check", "-r", "--delete", "d"), "");
  },
);
