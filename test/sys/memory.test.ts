import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { nativeLibraryPath } from "../../src/sys/native.ts";
import { releaseExecutable } from "../../src/sys/memory.ts";

/** How much of the executable is in this process's memory, in KiB. */
const residentKib = () =>
  Number(/^RssFile:\s+(\d+) kB$/m.exec(fs.readFileSync("/proc/self/status", "utf8"))?.[1]);

const hasLibrary = process.env["MAKUOSAN_WITHOUT_FFI"] !== "1";

test("pages of the executable are given back, and the program goes on", { skip: !hasLibrary }, () => {
  nativeLibraryPath();
  const before = residentKib();
  releaseExecutable();
  const after = residentKib();
  assert.ok(after < before * 0.8, `${before} KiB, then ${after} KiB`);
  // Everything that was written in the file's memory is as it was: tables of functions, above all.
  assert.equal(JSON.stringify({ a: [1, 2] }), '{"a":[1,2]}');
  assert.match(new Intl.DateTimeFormat("en").format(0), /1970/);
});
