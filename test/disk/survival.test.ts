import assert from "node:assert/strict";
import { test } from "node:test";
import { below, SeededRandom } from "../../src/base/random.ts";
import type { DirectoryHandle, Disk } from "../../src/tree/disk/disk.ts";
import { describeTree } from "./describe-tree.ts";
import type { CrashModel } from "./journal.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { Player } from "./player.ts";
import { drawCall } from "./random-calls.ts";
import { withDirectory } from "./small-tree.ts";

/** Crashes after random calls, compared with the result of a naive look at the whole tree. */

// Chosen for the time of the test.
const SEEDS = 150;
const CALLS = 120;
const MODELS = ["ordered", "unordered"] as const;

/** Makes random calls; `after` is called with the disk after each of them. */
function play(seed: number, crashModel: CrashModel, after: (disk: MemoryDisk, random: SeededRandom) => void) {
  const random = new SeededRandom(seed);
  const disk = new MemoryDisk({ crashModel });
  const player = new Player(disk, "/");
  for (let index = 0; index < CALLS; index++) {
    player.play(drawCall(random, [0, 7]));
    after(disk, random);
  }
  return { disk, random };
}

/** Names and attributes with all times, but no contents. */
function skeleton(disk: Disk, directory: DirectoryHandle, path = ""): string[] {
  return disk
    .list(directory)
    .sort()
    .flatMap((name) => {
      const stats = disk.stat(directory, name);
      assert.ok(stats !== undefined);
      const { mode, uid, gid, mtimeNs, links, hasMount, deviceId } = stats;
      const attributes = disk
        .listAttributes(directory, name)
        .sort()
        .map((attribute) => `${attribute}=${String(disk.readAttribute(directory, name, attribute))}`);
      const line = [
        `${path}/${name}`,
        mode,
        uid,
        gid,
        mtimeNs,
        links,
        hasMount,
        deviceId,
        ...attributes,
      ].join(" ");
      const inner = stats.isDirectory()
        ? withDirectory(disk, directory, name, (_, entry) => skeleton(disk, entry, `${path}/${name}`))
        : [];
      return [line, ...inner];
    });
}

function skeletonOf(disk: MemoryDisk): string {
  return skeleton(disk, disk.openRoot("/")).join("\n");
}

/** Names and attributes with contents. */
function wholeTree(disk: MemoryDisk): string {
  return [skeletonOf(disk), ...describeTree(disk, disk.openRoot("/"))].join("\n");
}

test("an ordered disk comes back with names and attributes as they were at one moment since the last sync", () => {
  const ages = new Set<number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    let moments: string[] = [];
    const { disk, random } = play(seed, "ordered", (at) => {
      if (at.pendingOperations === 0) moments = [];
      moments.push(skeletonOf(at));
    });
    const survived = moments.lastIndexOf(skeletonOf(disk.crash(random)));
    assert.ok(survived >= 0, `seed ${seed}`);
    ages.add(moments.length - 1 - survived);
  }
  assert.ok(ages.has(0) && ages.size > 10, "the crashes were at various moments");
});

for (const model of MODELS) {
  test(`an ${model} disk on which all is durable comes back as it was`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { disk, random } = play(seed, model, (at, dice) => {
        if (below(dice, 40) === 0) at.syncFileSystem(at.openRoot("/"));
      });
      disk.syncFileSystem(disk.openRoot("/"));
      const before = wholeTree(disk);
      assert.equal(wholeTree(disk.crash(random)), before, `seed ${seed}`);
    }
  });

  test(`an ${model} disk that crashes twice is the same the second time, and can be worked on`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { disk, random } = play(seed, model, () => undefined);
      const first = disk.crash(random);
      const before = wholeTree(first);
      const second = first.crash(random);
      assert.equal(wholeTree(second), before, `seed ${seed}`);
      // Another state after the first crash: something has survived in it that was not durable before.
      const third = disk.crash(random);
      const player = new Player(third, "/");
      for (let index = 0; index < CALLS; index++) player.play(drawCall(random, [0, 7]));
      third.settle();
      const worked = wholeTree(third);
      assert.equal(wholeTree(third.crash(random)), worked, `seed ${seed}`);
    }
  });
}

test("an unordered disk on which each file and each directory is synced comes back with them as they were", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { disk, random } = play(seed, "unordered", () => undefined);
    removeOthers(disk, disk.openRoot("/"));
    syncEach(disk, disk.openRoot("/"));
    const before = wholeTree(disk);
    assert.equal(wholeTree(disk.crash(random)), before, `seed ${seed}`);
  }
});

/** Links and special files cannot be synced on their own. */
function removeOthers(disk: MemoryDisk, directory: DirectoryHandle): void {
  for (const name of disk.list(directory)) {
    const stats = disk.stat(directory, name);
    if (stats?.isDirectory() === true)
      withDirectory(disk, directory, name, (_, entry) => removeOthers(disk, entry));
    else if (stats?.isFile() !== true) disk.unlink(directory, name);
  }
}

function syncEach(disk: MemoryDisk, directory: DirectoryHandle): void {
  disk.syncDirectory(directory);
  for (const name of disk.list(directory)) {
    if (disk.stat(directory, name)?.isDirectory() === true)
      withDirectory(disk, directory, name, (_, entry) => syncEach(disk, entry));
    else {
      const file = disk.openFile(directory, name, "read");
      disk.syncFile(file);
      disk.closeFile(file);
    }
  }
}
