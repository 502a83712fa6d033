import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { canFindHoles, nextData, nextHole } from "../../src/sys/holes.ts";
import { makeSpecialFile } from "../../src/sys/special-files.ts";
import { codeOf, opened, temporaryDirectory, withoutFfi } from "./support.ts";

/** Data and holes of sparse files. */

/** A file system in memory has holes on every kernel; that of /tmp may not. */
const PARENT = fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir();
const GB = 2 ** 30;
/** A multiple of the page and block sizes of all common systems. */
const PIECE = 65_536;

function sparseFile(context: TestContext, size: number, pieces: number[]): number {
  const name = path.join(temporaryDirectory(context, PARENT), "file");
  fs.writeFileSync(name, "");
  const descriptor = opened(context, name, "r+");
  fs.ftruncateSync(descriptor, size);
  for (const offset of pieces) fs.writeSync(descriptor, Buffer.alloc(PIECE, 1), 0, PIECE, offset);
  return descriptor;
}

test("data and holes are found, above 4 GB too", (context) => {
  assert.equal(canFindHoles(), true);
  const size = 6 * GB + 5;
  const file = sparseFile(context, size, [PIECE, 5 * GB]);
  assert.equal(nextData(file, 0), PIECE);
  assert.equal(nextData(file, PIECE + 7), PIECE + 7);
  assert.equal(nextData(file, 2 * PIECE), 5 * GB);
  assert.equal(nextData(file, 5 * GB + PIECE - 1), 5 * GB + PIECE - 1);
  assert.equal(nextData(file, 5 * GB + PIECE), undefined);
  assert.equal(nextHole(file, 0), 0);
  assert.equal(nextHole(file, PIECE), 2 * PIECE);
  assert.equal(nextHole(file, 3 * GB + 1), 3 * GB + 1);
  assert.equal(nextHole(file, 5 * GB + 1), 5 * GB + PIECE);
});

test("a file of petabytes is asked without losing digits", (context) => {
  // The largest file of 4 KiB blocks on ext4 has 16 TB; in memory there is room for more.
  const file = sparseFile(context, 0, []);
  const code = codeOf(() => fs.ftruncateSync(file, 2 ** 52 + PIECE));
  if (code !== undefined) {
    context.skip(`no file of this size: ${code}`);
    return;
  }
  fs.writeSync(file, Buffer.alloc(PIECE, 1), 0, PIECE, 2 ** 52);
  assert.equal(nextData(file, 1), 2 ** 52);
  assert.equal(nextHole(file, 2 ** 52 + 1), 2 ** 52 + PIECE);
});

test("the end of a file is a hole, and no data follow", (context) => {
  const full = sparseFile(context, PIECE, [0]);
  assert.equal(nextHole(full, 0), PIECE);
  for (const offset of [PIECE, PIECE + 1, 5 * GB, Number.MAX_SAFE_INTEGER]) {
    assert.equal(nextData(full, offset), undefined);
    assert.equal(nextHole(full, offset), offset);
  }
  const empty = sparseFile(context, 0, []);
  assert.equal(nextData(empty, 0), undefined);
  assert.equal(nextHole(empty, 0), 0);
});

test("a file that has only holes has no data", (context) => {
  const file = sparseFile(context, 5 * GB, []);
  assert.equal(nextData(file, 0), undefined);
  assert.equal(nextHole(file, 0), 0);
});

test("a file system that does not know the question has only data", (context) => {
  const file = opened(context, "/proc/self/status");
  // Its size is 0, although bytes can be read from it.
  assert.equal(nextData(file, 0), undefined);
  assert.equal(nextHole(file, 0), 0);
});

test("errors have the codes of the system", (context) => {
  const where = temporaryDirectory(context, PARENT);
  makeSpecialFile(opened(context, where), "fifo", "fifo", 0o600, { major: 0, minor: 0 });
  const fifo = opened(context, path.join(where, "fifo"), fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  const file = sparseFile(context, PIECE, []);
  for (const find of [nextData, nextHole]) {
    assert.equal(
      codeOf(() => find(fifo, 0)),
      "ESPIPE",
    );
    assert.equal(
      codeOf(() => find(-1, 0)),
      "EBADF",
    );
    for (const offset of [-1, 0.5, NaN, Infinity, 2 ** 53])
      assert.equal(
        codeOf(() => find(file, offset)),
        "EINVAL",
        String(offset),
      );
  }
});

test("without the library the whole file is data", (context) => {
  const file = sparseFile(context, 6 * GB, [5 * GB]);
  const name = fs.readlinkSync(`/proc/self/fd/${file}`);
  const offsets = `[0, 3 * 2 ** 30 + 1, 6 * 2 ** 30 - 1, 6 * 2 ** 30, 7 * 2 ** 30]`;
  const found = withoutFfi(
    "holes.ts",
    `((file) => [sys.canFindHoles(), ${offsets}.map((offset) =>
      [sys.nextData(file, offset) ?? null, sys.nextHole(file, offset)])])(fs.openSync(given[0]))`,
    name,
  );
  const end = 6 * GB;
  const expected = [
    [0, end],
    [3 * GB + 1, end],
    [end - 1, end],
    [null, end],
    [null, 7 * GB],
  ];
  assert.deepEqual(found, [false, expected]);
  const wrong = `codeOf(() => sys.nextData(fs.openSync(given[0]), -1))`;
  assert.equal(withoutFfi("holes.ts", wrong, name), "EINVAL");
});
