import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { finish } from "../../src/base/steps.ts";
import { recover } from "../../src/tree/apply/recovery.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { Precedence } from "../../src/tree/decide/precedence.ts";
import { HASH_BYTES, hashPath, PathSet } from "../../src/tree/entries/path-set.ts";
import type { Stage } from "../../src/tree/apply/stage.ts";
import { contents, StagingPair, textOf } from "../support/staging.ts";

/**
 * Two transfers at a time: the one that commits later brings its whole tree, too, even if the other one has changed
 * entries that it had found to be right.
 */

let first: StagingPair;
let later: StagingPair;

const write = (base: string, files: Record<string, string>) => {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(base, name)), { recursive: true });
    fs.writeFileSync(path.join(base, name), text);
  }
};

beforeEach(() => {
  first = new StagingPair();
  later = new StagingPair();
  // Both transfers go to one tree, under different names.
  fs.rmdirSync(later.to);
  Object.assign(later, { to: first.to, stages: 100 });
  write(later.from, { a: "its a", "d/b": "its b", "d/c": "its c" });
  fs.symlinkSync("a", path.join(later.from, "link"));
  later.push();
  // The transfer brings one entry, and has found the others to be right.
  write(later.from, { "d/new": "its new" });
});

afterEach(() => {
  first.destroy();
  later.destroy();
});

/** The first transfer commits and the later one yields to it. */
function commitBoth(other: Stage, own: Stage): void {
  own.yieldTo(other.steps());
  assert.equal(other.commit(), undefined);
  finish(other.clean());
}

/** The later transfer is ready when the first one arrives and commits. */
function overtakenWhenReady(): Stage {
  const own = later.stage();
  own.prepare();
  const other = first.stage();
  other.prepare();
  commitBoth(other, own);
  return own;
}

for (const isPrepared of [false, true]) {
  const when = isPrepared ? "is ready" : "is being staged";

  test(`files and links that are replaced or deleted come back, while the later one ${when}`, () => {
    write(first.from, { a: "other a", "d/b": "other b", e: "other e" });
    fs.symlinkSync("b", path.join(first.from, "link"));
    first.scanRules = { deletes: "also" };
    const own = later.stage();
    if (isPrepared) own.prepare();
    const other = first.stage();
    other.prepare();
    commitBoth(other, own);
    assert.equal(fs.readFileSync(path.join(first.to, "a"), "utf8"), "other a");
    assert.equal(fs.existsSync(path.join(first.to, "d/c")), false);
    if (!isPrepared) own.prepare();
    assert.equal(own.commit(), undefined);
    finish(own.clean());
    assert.deepEqual(contents(first.to), { ...contents(later.from), e: "other e" });
    assert.deepEqual(first.leftOver(), []);
  });
}

test("attributes of directories come back", () => {
  fs.cpSync(later.from, first.from, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  fs.chmodSync(path.join(first.from, "d"), 0o700);
  fs.utimesSync(path.join(first.from, "d"), 5, 5);
  fs.rmSync(path.join(later.from, "d/new"));
  fs.rmSync(path.join(first.from, "d/new"));
  later.push();
  write(later.from, { f: "its f" });
  const own = overtakenWhenReady();
  assert.equal(fs.statSync(path.join(first.to, "d")).mode & 0o777, 0o700);
  assert.equal(own.commit(), undefined);
  finish(own.clean());
  const [there, here] = [first.to, later.from].map((base) => fs.statSync(path.join(base, "d")));
  assert.deepEqual([there!.mode, there!.mtimeMs], [here!.mode, here!.mtimeMs]);
});

test("several that commit first: what comes back is what there was before all of them", () => {
  write(later.from, { g: "its g" });
  fs.rmSync(path.join(later.from, "d/new"));
  later.push();
  write(later.from, { h: "its h" });
  const own = later.stage();
  for (const text of ["one", "two"]) {
    write(first.from, { a: text, [`d/${text}`]: text });
    const other = first.stage();
    other.prepare();
    commitBoth(other, own);
  }
  own.prepare();
  assert.equal(own.commit(), undefined);
  finish(own.clean());
  assert.deepEqual(contents(first.to), { ...contents(later.from), "d/one": "one", "d/two": "two" });
  const [there, here] = [first.to, later.from].map((base) => fs.statSync(path.join(base, "d")).mtimeMs);
  assert.equal(there, here);
});

test("a transfer that had nothing to bring brings back what another one replaces", () => {
  fs.rmSync(path.join(later.from, "d/new"));
  later.push();
  for (const isPrepared of [true, false]) {
    const own = later.stage();
    if (isPrepared) own.prepare();
    write(first.from, { a: `other ${isPrepared}` });
    const other = first.stage();
    other.prepare();
    commitBoth(other, own);
    if (!isPrepared) own.prepare();
    assert.equal(own.commit(), undefined);
    finish(own.clean());
    assert.deepEqual(contents(first.to), contents(later.from));
    assert.deepEqual(first.leftOver(), []);
  }
});

test("what cannot be brought back makes the later one fail, and what is there stays whole", () => {
  write(first.from, { d: "a file now" });
  first.scanRules = { deletes: "also" };
  const own = overtakenWhenReady();
  assert.equal(textOf(own.commit()), "d: another transfer has replaced it: push again");
  finish(own.clean());
  assert.deepEqual(contents(first.to), { d: "a file now" });
});

test("what another one brings into a directory that is complete makes the later one fail", () => {
  later.scanRules = { deletes: "also" };
  write(first.from, { "d/more": "other" });
  const own = later.stage();
  const other = first.stage();
  other.prepare();
  commitBoth(other, own);
  assert.throws(() => own.prepare(), /d\/more: another transfer has replaced it/);
  finish(own.clean());
});

test("a directory that goes, in which the later one has only new things, makes it fail", () => {
  write(first.from, { keep: "other" });
  first.scanRules = { deletes: "also" };
  for (const name of ["a", "d/b", "d/c"])
    fs.writeFileSync(path.join(later.from, name), "changed, and longer");
  const own = overtakenWhenReady();
  assert.match(textOf(own.commit()), /^d: another transfer has replaced it/);
  finish(own.clean());
  assert.deepEqual(contents(first.to), { keep: "other" });
});

test("a directory that both make, and that the later one has all of, makes it fail", () => {
  write(first.from, { "new/x": "other" });
  write(later.from, { "new/y": "its" });
  later.scanRules = { deletes: "also" };
  const own = overtakenWhenReady();
  assert.match(textOf(own.commit()), /^new: another transfer has replaced it/);
  finish(own.clean());
});

test("what another one brings into a directory that it had not found yet is replaced again", () => {
  write(first.from, { "e/x": "other x", "e/y": "other y", "e/f/z": "other z" });
  const other = first.stage();
  other.prepare();
  write(later.from, { "e/y": "its y", "e/f/z": "its z" });
  later.push();
  write(later.from, { "e/new": "its new" });
  const own = later.stage();
  own.prepare();
  commitBoth(other, own);
  assert.equal(fs.readFileSync(path.join(first.to, "e/y"), "utf8"), "other y");
  assert.equal(own.commit(), undefined);
  const texts = ["e/x", "e/y", "e/f/z", "e/new"].map((name) =>
    fs.readFileSync(path.join(first.to, name), "utf8"),
  );
  assert.deepEqual(texts, ["other x", "its y", "its z", "its new"]);
});

test("what another one brings into a directory that it had not found yet makes one that deletes there fail", () => {
  write(first.from, { "e/x": "other x" });
  const other = first.stage();
  other.prepare();
  write(later.from, { "e/y": "its y" });
  later.push();
  later.scanRules = { deletes: "also" };
  const own = later.stage();
  own.prepare();
  commitBoth(other, own);
  assert.match(textOf(own.commit()), /^e: another transfer has replaced it/);
});

test("a directory that would give way to a file, and that another transfer has just brought, makes the later one fail", () => {
  write(first.from, { "e/d": "other d" });
  const other = first.stage();
  other.prepare();
  write(later.from, { "e/d/y": "its y" });
  const own = later.stage();
  own.prepare();
  other.yieldTo(own.steps());
  assert.equal(own.commit(), undefined);
  assert.match(textOf(other.commit()), /^e\/d: another transfer has replaced it/);
  for (const stage of [own, other]) finish(stage.clean());
  assert.equal(fs.readFileSync(path.join(first.to, "e/d/y"), "utf8"), "its y");
});

test("what nobody has in common is not touched", () => {
  write(first.from, { "x/y": "other" });
  const own = later.stage();
  own.prepare();
  const other = first.stage();
  other.prepare();
  const before = fs.readFileSync(path.join(first.to, ".makuosan/t-102/ready"));
  own.yieldTo(other.steps());
  assert.deepEqual(fs.readFileSync(path.join(first.to, ".makuosan/t-102/ready")), before);
  for (const stage of [other, own]) {
    stage.commit();
    finish(stage.clean());
  }
  assert.deepEqual(contents(first.to), { ...contents(later.from), ...contents(first.from) });
});

test("a crash after that finishes the later one with what it had to bring back", () => {
  write(first.from, { a: "other a" });
  overtakenWhenReady();
  const area = path.join(first.to, ".makuosan/t-102");
  fs.renameSync(path.join(area, "ready"), path.join(area, "commit"));
  assert.deepEqual(recover(Directories.at(linuxDisk, first.to), first.rules), [
    { name: "t-102", failure: undefined, isLeft: false },
  ]);
  assert.deepEqual(contents(first.to), contents(later.from));
});

test("a set of paths knows what was added and nothing else", () => {
  const set = new PathSet();
  assert.equal(set.has(""), false);
  for (let index = 0; index < 50_000; index++) set.add(`directory-${index % 100}/file-${index}`);
  for (let index = 0; index < 50_000; index++) {
    assert.ok(set.has(`directory-${index % 100}/file-${index}`));
    assert.equal(set.has(`directory-${index % 100}/file-${index + 50_000}`), false);
  }
});

test("a set can be asked between what is added, and counts what is added again once", () => {
  const set = new PathSet();
  for (let round = 0; round < 20; round++) {
    for (let index = 0; index < 300; index++) set.addIn("directory", `file-${round}-${index}`);
    for (let index = 0; index < 300; index++) set.add("again");
    const hashes = new Uint8Array(HASH_BYTES);
    hashPath(`hashed-${round}`, new DataView(hashes.buffer), 0);
    set.addHashes(hashes);
    assert.equal(set.has("again"), true);
    for (let earlier = 0; earlier <= round; earlier++) {
      assert.equal(set.has(`directory/file-${earlier}-${earlier}`), true);
      assert.equal(set.has(`hashed-${earlier}`), true);
    }
    assert.equal(set.has(`directory/file-${round + 1}-0`), false);
  }
});

test("directories above many deleted paths are noted once: memory does not grow with their depth", () => {
  const base = Directories.at(linuxDisk, first.to);
  const precedence = new Precedence(base);
  const deep = Array.from({ length: 500 }, (_, index) => `level-${index}`).join("/");
  const before = process.memoryUsage().arrayBuffers;
  for (let index = 0; index < 5_000; index++) precedence.noteGone(`${deep}/file-${index}`);
  const taken = process.memoryUsage().arrayBuffers - before;
  base.close();
  assert.ok(taken < 1_000_000, `${taken} bytes`);
});

test("an entry is the same to a set by its path, and by its directory and its name", () => {
  const set = new PathSet();
  for (const [directory, name] of [
    ["", "top"],
    ["a", "one"],
    ["a", "two"],
    ["a/b", "one"],
    ["", "last"],
  ] as const)
    set.addIn(directory, name);
  for (const entry of ["top", "a/one", "a/two", "a/b/one", "last"]) assert.equal(set.has(entry), true, entry);
  for (const entry of ["a", "one", "a/top", "a/b/two", "/top"]) assert.equal(set.has(entry), false, entry);
});
