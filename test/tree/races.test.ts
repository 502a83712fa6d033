import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { StageError } from "../../src/tree/stage.ts";
import { contents, StagingPair, whileVanishing } from "../support/staging.ts";

/** What others do to the trees while a transfer is under way. */

let pair: StagingPair;
let outside: string;

beforeEach(() => {
  pair = new StagingPair();
  outside = path.join(pair.directory, "outside");
  fs.mkdirSync(outside);
  fs.mkdirSync(path.join(pair.from, "dir"));
  fs.writeFileSync(path.join(pair.from, "dir/file"), "content");
});

afterEach(() => pair.destroy());

test("a directory that becomes a link out of the tree before the transfer is replaced, not followed", () => {
  fs.symlinkSync(outside, path.join(pair.to, "dir"));
  pair.push();
  assert.deepEqual(contents(pair.to), { dir: "directory", "dir/file": "content" });
  assert.deepEqual(fs.readdirSync(outside), []);
});

test("a directory that becomes a link between barrier and commit is not followed", () => {
  fs.mkdirSync(path.join(pair.to, "dir"));
  const stage = pair.stage();
  stage.prepare();
  fs.rmdirSync(path.join(pair.to, "dir"));
  fs.symlinkSync(outside, path.join(pair.to, "dir"));
  assert.throws(() => stage.commit(), { code: "ENOTDIR" });
  assert.deepEqual(fs.readdirSync(outside), []);
});

test("a link in place of the staging directory is not followed", () => {
  fs.symlinkSync(outside, path.join(pair.to, ".makuosan"));
  assert.throws(() => pair.stage(), { code: "ENOTDIR" });
  assert.deepEqual(fs.readdirSync(outside), []);
});

test("a file that vanishes between manifest and reading is withdrawn, and the rest arrives", () => {
  for (const name of ["x", "y", "z"]) fs.writeFileSync(path.join(pair.from, name), name.repeat(100_000));
  whileVanishing(path.join(pair.from, "y"), () => pair.push());
  assert.deepEqual(pair.notices, [
    { kind: "unreadable", path: "y", reason: "there is no such file or directory" },
  ]);
  assert.deepEqual(Object.keys(contents(pair.to)).sort(), ["dir", "dir/file", "x", "z"]);
});

test("a transfer whose contents are incomplete is never prepared", () => {
  const stage = pair.stage([""], false);
  const { size } = fs.statSync(path.join(pair.from, "dir/file"));
  assert.ok(size > 0);
  stage.prepare();
  stage.clean();
  fs.rmSync(path.join(pair.to), { recursive: true });
  fs.mkdirSync(pair.to);
  const write = Object.getPrototypeOf(stage) as { write: (bytes: Uint8Array) => void };
  const original = write.write;
  write.write = () => undefined;
  try {
    assert.throws(() => pair.stage().prepare(), StageError);
  } finally {
    write.write = original;
  }
});
