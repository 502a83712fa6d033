import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { listNames } from "../../src/sys/directory-listing.ts";
import { codeOf, temporaryDirectory, withoutFfi } from "./support.ts";

/** Names of a directory, with and without the FFI library. */

/** More than one answer of the kernel has room for. */
const MANY = 3_000;

/** Names that are not UTF-8, that look like others, and that are as long as a name can be. */
const ODD = ["\xff\xfe", "a\nb", "...", ".hidden", "\xe3\x81", "n".repeat(255)];

function withNames(directory: string, names: readonly string[]): string {
  for (const name of names) {
    const at = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name, "latin1")]);
    fs.closeSync(fs.openSync(at, "w"));
  }
  return directory;
}

test("all names come as bytes, however many there are", (context) => {
  const names = [...ODD, ...Array.from({ length: MANY }, (_, index) => `file ${index}`)];
  const directory = withNames(temporaryDirectory(context), names);
  assert.deepEqual([...listNames(directory)].sort(), [...names].sort());
  const alike = withoutFfi("directory-listing.ts", "[...sys.listNames(given[0])].sort()", directory);
  assert.deepEqual(alike, [...names].sort());
});

test("two listings at once do not disturb each other", (context) => {
  const one = withNames(
    temporaryDirectory(context),
    Array.from({ length: MANY }, (_, index) => `one ${index}`),
  );
  const other = withNames(
    temporaryDirectory(context),
    Array.from({ length: MANY }, (_, index) => `other ${index}`),
  );
  const [first, second] = [listNames(one), listNames(other)];
  for (let index = 0; index < MANY; index++) {
    assert.match(String(first.next().value), /^one /);
    assert.match(String(second.next().value), /^other /);
  }
  assert.equal(first.next().done, true);
  assert.equal(second.next().done, true);
});

test("what is no directory, or missing, is an error with a code", (context) => {
  const directory = withNames(temporaryDirectory(context), ["file"]);
  assert.equal(
    codeOf(() => [...listNames(path.join(directory, "file"))]),
    "ENOTDIR",
  );
  assert.equal(
    codeOf(() => [...listNames(path.join(directory, "missing"))]),
    "ENOENT",
  );
});
