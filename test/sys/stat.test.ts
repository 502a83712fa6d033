import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { type FileStats, statDescriptor, statEntry } from "../../src/sys/stat.ts";
import { temporaryDirectory } from "./support.ts";

/** The facts that node:fs knows as well. */
function known(stats: fs.BigIntStats) {
  const { mode, size, blocks, mtimeNs, ctimeNs, uid, gid, nlink, ino } = stats;
  const numbers = [mode, size, blocks, uid, gid, nlink].map(Number);
  return [...numbers, mtimeNs, ctimeNs, ino];
}

function found(stats: FileStats | undefined) {
  assert.ok(stats !== undefined);
  const { mode, size, blocks, uid, gid, links, mtimeNs, ctimeNs, inode } = stats;
  return [mode, size, blocks, uid, gid, links, mtimeNs, ctimeNs, inode];
}

function check(context: TestContext, make: (file: string) => void): FileStats {
  const directory = temporaryDirectory(context);
  const file = path.join(directory, "entry");
  make(file);
  const handle = fs.openSync(directory, "r");
  try {
    const stats = statEntry(handle, "entry");
    assert.deepEqual(found(stats), known(fs.lstatSync(file, { bigint: true })));
    assert.deepEqual(found(statDescriptor(handle)), known(fs.statSync(directory, { bigint: true })));
    assert.equal(statEntry(handle, "missing"), undefined);
    return stats as FileStats;
  } finally {
    fs.closeSync(handle);
  }
}

test("the stats of a file are those of the kernel", (context) => {
  const stats = check(context, (file) => {
    fs.writeFileSync(file, "contents");
    fs.utimesSync(file, 1_700_000_000.123456, 1_700_000_000.123456);
  });
  assert.deepEqual([stats.isFile(), stats.isDirectory(), stats.isSymbolicLink()], [true, false, false]);
  assert.deepEqual([stats.hasMount, stats.isImmutable, stats.isAppendOnly], [false, false, false]);
});

test("times before 1970, and large sizes", (context) => {
  const stats = check(context, (file) => {
    fs.writeFileSync(file, "");
    fs.truncateSync(file, 2 ** 33 + 5);
    // Node takes a negative number for the present.
    execFileSync("touch", ["-d", "@-1.5", file]);
  });
  assert.deepEqual([stats.size, stats.mtimeNs], [2 ** 33 + 5, -1_500_000_000n]);
});

test("the stats of a symbolic link are its own", (context) => {
  const stats = check(context, (file) => fs.symlinkSync("/", file));
  assert.ok(stats.isSymbolicLink());
});
