import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { closeDescriptor, readAt, writeAt } from "../../src/sys/contents.ts";
import { openEntry } from "../../src/sys/files.ts";
import * as names from "../../src/sys/names.ts";
import { codeOf, opened, temporaryDirectory, withoutFfi } from "./support.ts";

/** Names in open directories, and contents of open files: the same with and without the library. */

const { O_CREAT, O_RDONLY, O_RDWR } = fs.constants;
const ODD = "\u00e4\xff name";

test("names are made, moved and removed, byte for byte", (context) => {
  const directory = temporaryDirectory(context);
  const at = opened(context, directory);
  names.makeDirectoryEntry(at, "d", 0o750);
  assert.equal(fs.statSync(path.join(directory, "d")).mode & 0o777, 0o750);
  const below = opened(context, path.join(directory, "d"));
  closeDescriptor(openEntry(at, ODD, O_CREAT | O_RDWR, 0o600));
  names.linkEntry(at, ODD, below, "other");
  names.renameEntry(at, ODD, below, ODD);
  assert.deepEqual(fs.readdirSync(directory), ["d"]);
  const found = fs.readdirSync(path.join(directory, "d"), { encoding: "buffer" });
  assert.deepEqual(found.map((name) => name.toString("latin1")).sort(), ["other", ODD].sort());
  names.unlinkEntry(below, ODD);
  names.unlinkEntry(below, "other");
  names.removeDirectoryEntry(at, "d");
  assert.deepEqual(fs.readdirSync(directory), []);
});

test("no link is followed", (context) => {
  const directory = temporaryDirectory(context);
  const at = opened(context, directory);
  fs.symlinkSync("nowhere", path.join(directory, "link"));
  names.linkEntry(at, "link", at, "same");
  names.renameEntry(at, "link", at, "moved");
  assert.equal(fs.readlinkSync(path.join(directory, "same")), "nowhere");
  assert.equal(fs.readlinkSync(path.join(directory, "moved")), "nowhere");
  names.unlinkEntry(at, "same");
  assert.deepEqual(fs.readdirSync(directory), ["moved"]);
});

const CODES = ["ENOENT", "ENOENT", "EISDIR", "ENOTEMPTY", "EEXIST", "ENOENT", "EEXIST"];
const failures = (at: number, sys: typeof names, code: (action: () => unknown) => string | undefined) => [
  code(() => sys.renameEntry(at, "none", at, "a")),
  code(() => sys.linkEntry(at, "none", at, "a")),
  code(() => sys.unlinkEntry(at, "d")),
  code(() => sys.removeDirectoryEntry(at, "d")),
  code(() => sys.makeDirectoryEntry(at, "d", 0o700)),
  code(() => sys.unlinkEntry(at, "none")),
  code(() => sys.linkEntry(at, "d", at, "d/f")),
];

test("errors have the codes of node:fs, also without the library", (context) => {
  const directory = temporaryDirectory(context);
  fs.mkdirSync(path.join(directory, "d"));
  fs.writeFileSync(path.join(directory, "d/f"), "");
  const at = opened(context, directory);
  assert.deepEqual(failures(at, names, codeOf), CODES);
  const expression = `(${failures.toString()})(fs.openSync(given[0]), sys, codeOf)`;
  assert.deepEqual(withoutFfi("names.ts", expression, directory), CODES);
});

test("contents are read and written at an offset, also in the middle of a buffer", (context) => {
  const directory = temporaryDirectory(context);
  const at = opened(context, directory);
  const file = openEntry(at, "f", O_CREAT | O_RDWR, 0o600);
  const text = Buffer.from("..0123456789..");
  assert.equal(writeAt(file, text.subarray(2, 12), 3), 10);
  const space = Buffer.alloc(16, ".");
  assert.equal(readAt(file, space.subarray(4, 8), 5), 4);
  assert.equal(space.toString(), "....2345........");
  assert.equal(readAt(file, space, 13), 0);
  assert.equal(readAt(file, new Uint8Array(0), 0), 0);
  const far = 2 ** 40 + 1;
  writeAt(file, Buffer.from("x"), far);
  assert.equal(readAt(file, space, far), 1);
  assert.equal(space[0], "x".charCodeAt(0));
  closeDescriptor(file);
  assert.equal(
    codeOf(() => closeDescriptor(file)),
    "EBADF",
  );
  const closed = openEntry(at, "f", O_RDONLY);
  assert.equal(
    codeOf(() => writeAt(closed, space, 0)),
    "EBADF",
  );
  closeDescriptor(closed);
  assert.equal(
    codeOf(() => readAt(at, space, 0)),
    "EISDIR",
  );
});
