import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { DEFAULT_DELETE_LIMIT } from "../../src/tree/decide/superfluous.ts";
import { contents, StagingPair, whileSettling } from "../support/staging.ts";

/** Moved files and trees, from a sender's disk to a receiver's: both are real, and nothing is between them. */

let pair: StagingPair;

beforeEach(() => {
  pair = new StagingPair();
  pair.scanRules = { deletes: "also", isForced: true };
  pair.deleteLimit = { ...DEFAULT_DELETE_LIMIT, percent: 100 };
});
afterEach(() => pair.destroy());

const on = (base: string, name: string) => path.join(base, name);

function fillTree(): void {
  for (const directory of ["d", "d/e"]) fs.mkdirSync(on(pair.from, directory), { recursive: true });
  for (let index = 0; index < 400; index++)
    fs.writeFileSync(
      on(pair.from, `d/${index % 2 === 0 ? "e/" : ""}f${index}`),
      `contents ${index} `.repeat(50),
    );
  fs.writeFileSync(on(pair.from, "d/large"), Buffer.alloc(20_000_000, "large"));
  fs.linkSync(on(pair.from, "d/f1"), on(pair.from, "d/other-name"));
  pair.push();
  pair.sentSegments = 0;
}

const same = () => assert.deepEqual(contents(pair.to), contents(pair.from));

describe("what has moved", () => {
  test("is a whole tree: no contents are sent", () => {
    fillTree();
    fs.renameSync(on(pair.from, "d"), on(pair.from, "moved"));
    pair.push();
    same();
    assert.equal(pair.sentSegments, 0);
    assert.deepEqual(pair.leftOver(), []);
    assert.equal(fs.statSync(on(pair.to, "moved/f1")).ino, fs.statSync(on(pair.to, "moved/other-name")).ino);
  });

  test("is one file that got another name in its directory", () => {
    fillTree();
    fs.renameSync(on(pair.from, "d/e/f0"), on(pair.from, "d/e/another name"));
    pair.push();
    same();
    assert.equal(pair.sentSegments, 0);
  });

  test("is sent as usual if the sender tells no digests", () => {
    fillTree();
    pair.tellsDigests = false;
    fs.renameSync(on(pair.from, "d"), on(pair.from, "moved"));
    pair.push();
    same();
    assert.ok(pair.sentSegments > 400);
  });

  test("is sent if the receiver's file only has the same size and time", () => {
    fillTree();
    const { mtime } = fs.statSync(on(pair.to, "d/f3"));
    fs.writeFileSync(on(pair.to, "d/f3"), "CONTENTS 3 ".repeat(50));
    fs.utimesSync(on(pair.to, "d/f3"), mtime, mtime);
    fs.utimesSync(on(pair.from, "d/f3"), mtime, mtime);
    fs.renameSync(on(pair.from, "d"), on(pair.from, "moved"));
    pair.push();
    same();
    assert.equal(pair.sentSegments, 1);
  });
});

describe("a sender's file that changes", () => {
  test("before its digest is read is withdrawn, and the others arrive", () => {
    fillTree();
    fs.renameSync(on(pair.from, "d"), on(pair.from, "moved"));
    const changed = on(pair.from, "moved/f5");
    whileSettling(
      () => fs.writeFileSync(changed, "changed"),
      () => pair.push(),
    );
    assert.equal(fs.existsSync(on(pair.to, "moved/f5")), false);
    assert.ok(pair.notices.some((notice) => notice.path === "moved/f5"));
    fs.rmSync(changed);
    same();
  });

  test("or that vanishes before is withdrawn, too", () => {
    fillTree();
    fs.renameSync(on(pair.from, "d"), on(pair.from, "moved"));
    whileSettling(
      () => fs.rmSync(on(pair.from, "moved/f7"), { force: true }),
      () => pair.push(),
    );
    same();
  });
});

test("a receiver's file that changes before its digest comes is not taken", () => {
  fillTree();
  fs.renameSync(on(pair.from, "d"), on(pair.from, "moved"));
  whileSettling(
    () => fs.existsSync(on(pair.to, "d/f9")) && fs.writeFileSync(on(pair.to, "d/f9"), "x".repeat(550)),
    () => pair.push(),
  );
  same();
  assert.equal(pair.sentSegments, 1);
});
