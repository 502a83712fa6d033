import fs from "node:fs";
import { below, type Random } from "../../src/base/random.ts";

/** Random changes of a real tree, by root: whatever a user could have done to it between two pushes. */

/** Few names, so that changes meet; some are not UTF-8, and one differs from another by its case. */
const NAMES = ["a", "b", "A", "c d", "\xff\xfe", "e\n", ".h", "z".repeat(200)];
const MODES = [0o644, 0o755, 0o600, 0o000, 0o555, 0o4755, 0o2775, 0o1777];
const OWNERS = [0, 1, 33, 12_345];
/** Times in seconds; a tree in git or from an archive may have any of them. */
const TIMES = [0, 1_700_000_000, 1_700_000_000.123_456_7, -5.5, 1_900_000_000.5];
/** Later changes follow links: no target lets them make anything outside of the tree. */
const TARGETS = ["a", "../b", "/proc/nowhere", "\xff"];

const CHANGES: readonly ((random: Random, path: Buffer) => void)[] = [
  (random, path) => fs.writeFileSync(path, bytesOf(random, below(random, 5_000))),
  (random, path) => fs.writeFileSync(path, bytesOf(random, 7)),
  (_, path) => fs.mkdirSync(path),
  (_, path) => fs.mkdirSync(path),
  (random, path) => fs.symlinkSync(one(random, TARGETS), path),
  (_, path) => fs.rmSync(path, { recursive: true }),
  (random, path) => fs.chmodSync(path, one(random, MODES)),
  (random, path) => fs.lchownSync(path, one(random, OWNERS), one(random, OWNERS)),
  (random, path) => {
    const seconds = one(random, TIMES);
    fs.lutimesSync(path, seconds, seconds);
  },
  (random, path) => fs.renameSync(path, Buffer.concat([path, Buffer.from(one(random, ["", "1"]))])),
  (random, path) => {
    fs.writeFileSync(path, "");
    fs.truncateSync(path, below(random, 300_000));
  },
  (_, path) => fs.appendFileSync(path, "more"),
];

/** Makes some changes below a directory; those that are not possible just fail. */
export function changeAtRandom(random: Random, top: string, count: number): void {
  for (let index = 0; index < count; index++) {
    const path = randomPath(random, top);
    try {
      if (below(random, 8) === 0) fs.linkSync(randomPath(random, top), path);
      else one(random, CHANGES)(random, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }
}

function randomPath(random: Random, top: string): Buffer {
  const depth = 1 + below(random, 4);
  const names = Array.from({ length: depth }, () => one(random, NAMES));
  return Buffer.concat([Buffer.from(`${top}/`), Buffer.from(names.join("/"), "latin1")]);
}

function one<T>(random: Random, values: readonly T[]): T {
  return values[below(random, values.length)] as T;
}

function bytesOf(random: Random, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => below(random, 256)));
}
