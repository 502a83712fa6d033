import assert from "node:assert/strict";
import { test } from "node:test";
import { shell } from "../support/command-scenarios.ts";
import type { Host } from "../support/host.ts";
import { namespaceProblem } from "../support/namespaces.ts";
import { allLook, fleetOf, look, msync } from "./undo-fleet.ts";

const skip = await namespaceProblem();

/** What is kept of former files never takes the room of a push. */

/** Pushes a file of some megabytes again and again: a host that receives it keeps each version. */
async function pushVersions(one: Host, count: number): Promise<void> {
  for (let version = 1; version <= count; version++) {
    await shell(one, `head -c 4M /dev/urandom > large`);
    await msync(one, "large");
  }
}

test(
  "a push that runs out of space in the middle gets the room of the oldest pushes that could be taken back",
  { skip, timeout: 120_000 },
  async (context) => {
    // Five versions of 4 MB on host2, a file of its own, and 4 MB are free.
    const fleet = await fleetOf(2, { tmpfs: "28m" });
    context.after(() => fleet.destroy());
    const [one, two] = fleet.hosts as [Host, Host];
    await pushVersions(one, 5);
    await shell(two, "head -c 4M /dev/zero > own");
    const before = await look(two);
    // A push that fits nowhere gives up nothing, and neither does a dry run.
    await shell(one, "head -c 22M /dev/urandom > huge");
    const { status, stderr } = await one.msync("huge");
    assert.equal(status, 3);
    assert.match(stderr, /host2: .*no space: /);
    await shell(one, "rm huge");
    // 3000 files of a page each: by their sizes, all of them fit into 12 kB.
    await shell(one, "mkdir d && cd d && for i in $(seq 3000); do echo $i > $i; done");
    await msync(one, "-n", "-r", "d");
    assert.doesNotMatch(two.log, /cannot be taken back any more/);
    await msync(one, "-r", "d");
    await msync(one, "--check", "-r", "d");
    assert.match(two.log, /-2 cannot be taken back any more: its space was needed/);
    assert.match(two.log, /-3 cannot be taken back any more: its space was needed/);
    assert.doesNotMatch(two.log, /-5 cannot be taken back/);
    await msync(two, "--undo");
    await allLook([two], before);
  },
);

test(
  "a push that finds no inode gets those of the oldest pushes that could be taken back",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(2, { tmpfs: "64m,nr_inodes=700" });
    context.after(() => fleet.destroy());
    const [one, two] = fleet.hosts as [Host, Host];
    for (const text of ["a", "bb"]) {
      await shell(one, `mkdir -p d && cd d && for i in $(seq 250); do echo ${text} > $i; done`);
      await msync(one, "-r", "d");
    }
    await shell(one, "mkdir e && cd e && touch $(seq 300)");
    await msync(one, "-n", "-r", "e");
    assert.doesNotMatch(two.log, /its space was needed/);
    await msync(one, "-r", "e");
    await allLook([two], await look(one));
    assert.match(two.log, /-2 cannot be taken back any more: its space was needed/);
  },
);
