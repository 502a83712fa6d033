import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { describeTree } from "./describe-tree.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { Player } from "./player.ts";
import { drawCall } from "./random-calls.ts";

/** Compares the disk in memory with the disk of this host: the same calls give the same answers and the same tree. */

const SEQUENCES = Number(process.env.MAKUOSAN_SEQUENCES ?? 60);
const FIRST_SEED = Number(process.env.MAKUOSAN_SEED ?? 1);
/** Calls of one sequence. All numbers of calls, sequences and seeds of these tests are chosen for their time. */
const CALLS = 250;
/** The trees are compared after this many calls. A comparison costs more than a call. */
const COMPARED_EVERY = 50;
/** The usual user nobody. If root runs the test, the calls are made a second time as this user, without privileges. */
const OTHER_USER = 65_534;
const user = process.geteuid?.() ?? 0;

test(`the disk in memory does what the disk of this host does, for the user ${user}`, () => {
  for (let index = 0; index < SEQUENCES; index++) playBoth(FIRST_SEED + index);
});

test("it does so for a user without rights", { skip: user === 0 ? false : "that user is this one" }, () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-disk-"));
  fs.chownSync(home, OTHER_USER, OTHER_USER);
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url)], {
      uid: OTHER_USER,
      gid: OTHER_USER,
      cwd: home,
      env: { ...process.env, TMPDIR: home, NODE_TEST_CONTEXT: "" },
      encoding: "utf8",
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
});

function playBoth(seed: number): void {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-disk-"));
  const group = process.getegid?.() ?? 0;
  const groups = process.getgroups?.() ?? [];
  const memory = new MemoryDisk({ user, group, groups, umask: process.umask() });
  const players = [new Player(linuxDisk, root), new Player(memory, "/")] as const;
  const played: string[] = [];
  try {
    const [real, simulated] = players;
    fs.chmodSync(root, 0o755);
    const random = new SeededRandom(seed);
    for (let index = 1; index <= CALLS; index++) {
      const call = drawCall(random, user === 0 ? [0, OTHER_USER, 12_345] : [user, 0, 12_345]);
      const answer = real.play(call);
      played.push(`${call.words}: ${answer.slice(0, 100)}`);
      assert.equal(simulated.play(call), answer, tellOf(seed, played));
      if (index % COMPARED_EVERY === 0) compareTrees(real, simulated, tellOf(seed, played));
    }
  } finally {
    for (const player of players) player.close();
    makeRemovable(Buffer.from(root));
    fs.rmSync(root, { recursive: true, force: true });
  }
}

function compareTrees(real: Player, simulated: Player, words: string): void {
  const [expected, actual] = [real, simulated].map((player) =>
    describeTree(player.disk, player.directory(0)),
  );
  assert.deepEqual(actual, expected, words);
}

function tellOf(seed: number, played: readonly string[]): string {
  return [`seed ${seed}`, ...played.slice(-60)].join("\n");
}

/** A directory may deny its owner access. */
function makeRemovable(directory: Buffer): void {
  fs.chmodSync(directory, 0o700);
  for (const entry of fs.readdirSync(directory, { withFileTypes: true, encoding: "buffer" }))
    if (entry.isDirectory()) makeRemovable(Buffer.concat([directory, Buffer.from("/"), entry.name]));
}
