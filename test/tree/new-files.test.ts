import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { StagingPair } from "../support/staging.ts";

/** Mode and owner of new files, whatever the process and the directory would give them. */

let pair: StagingPair;

beforeEach(() => {
  pair = new StagingPair();
});

afterEach(() => pair.destroy());

const asRoot = process.getuid?.() === 0 ? {} : { skip: "needs root" };

/** Common modes, modes that a umask changes, and modes with each special bit. */
const MODES: readonly number[] = [0o644, 0o666, 0o444, 0o600, 0o751, 0o640, 0, 0o4755, 0o2755, 0o1644];
/** Empty, in one block, and in several blocks. */
const SIZES: readonly number[] = [0, 10, 200_000];

/** Makes several files of each mode and size; returns their names. */
function makeFiles(): string[] {
  const names: string[] = [];
  for (const mode of MODES)
    for (const size of SIZES)
      for (const copy of ["a", "b"]) {
        const name = `${mode.toString(8)}-${size}-${copy}`;
        fs.writeFileSync(path.join(pair.from, name), Buffer.alloc(size, copy));
        fs.chmodSync(path.join(pair.from, name), mode);
        names.push(name);
      }
  return names;
}

function checkSame(names: readonly string[]): void {
  for (const name of names) {
    const [from, to] = [pair.from, pair.to].map((base) => fs.statSync(path.join(base, name)));
    assert.equal((to?.mode ?? 0).toString(8), from?.mode.toString(8), name);
    assert.deepEqual([to?.uid, to?.gid, to?.size], [from?.uid, from?.gid, from?.size], name);
  }
}

for (const umask of [0, 0o022, 0o077]) {
  test(`files get the sender's modes where the umask is ${umask.toString(8)}`, asRoot, () => {
    const names = makeFiles();
    const before = process.umask(umask);
    try {
      pair.push();
    } finally {
      process.umask(before);
    }
    checkSame(names);
  });
}

test("files get the sender's owner and group, be it that of the receiver or another one", asRoot, () => {
  const names = makeFiles();
  for (const [index, name] of names.entries()) {
    const file = path.join(pair.from, name);
    const { mode } = fs.statSync(file);
    fs.chownSync(file, index % 3 === 0 ? 12 : 0, index % 3 === 1 ? 34 : 0);
    fs.chmodSync(file, mode);
  }
  pair.push();
  checkSame(names);
});

test("files get the sender's group where the directory passes on another one", asRoot, () => {
  const names = makeFiles();
  fs.chownSync(pair.to, 0, 34);
  fs.chmodSync(pair.to, 0o2775);
  fs.chmodSync(pair.from, 0o2775);
  pair.push(names);
  checkSame(names);
});
