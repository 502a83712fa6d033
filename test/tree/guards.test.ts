import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { finish } from "../../src/base/steps.ts";
import { recover } from "../../src/tree/apply/recovery.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { Protection } from "../../src/tree/decide/protection.ts";
import { removeEntry } from "../../src/tree/disk/remove.ts";
import { RefusalError, StageError } from "../../src/tree/reasons/stage-error.ts";
import { contents, StagingPair, textOf, whileVanishing, whileCalling } from "../support/staging.ts";

/** Trees in unexpected states must not cause a loss of data, and must not bring a daemon down. */

let pair: StagingPair;

const write = (base: string, ...names: string[]) => {
  for (const name of names) {
    fs.mkdirSync(path.dirname(path.join(base, name)), { recursive: true });
    fs.writeFileSync(path.join(base, name), name);
  }
};
const names = () => Object.keys(contents(pair.to)).sort();

beforeEach(() => {
  pair = new StagingPair();
  write(pair.from, "a", "b");
});

afterEach(() => pair.destroy());

/** Makes 3,000 directories, each in the one before, and a file in the last one. */
function makeDeep(base: string): void {
  let descriptor = fs.openSync(base, "r");
  for (let depth = 0; depth < 3000; depth++) {
    fs.mkdirSync(`/proc/self/fd/${descriptor}/d`);
    const below = fs.openSync(`/proc/self/fd/${descriptor}/d`, "r");
    fs.closeSync(descriptor);
    descriptor = below;
  }
  fs.writeFileSync(`/proc/self/fd/${descriptor}/f`, "");
  fs.closeSync(descriptor);
}

const failing = (code: string) => () => {
  throw Object.assign(new Error(code), { code });
};

test("a tree that is deeper than any path fails with a sentence where it would be deleted", () => {
  pair.push();
  makeDeep(pair.to);
  pair.scanRules = { deletes: "also" };
  assert.throws(
    () => pair.stage(),
    (error) =>
      error instanceof StageError && /an entry in it has a path that is too long$/.test(error.message),
  );
  const parent = linuxDisk.openRoot(pair.to);
  removeEntry(linuxDisk, parent, "d");
  linuxDisk.closeDirectory(parent);
});

test("a tree of any depth is removed with few descriptors", () => {
  makeDeep(pair.to);
  const parent = linuxDisk.openRoot(pair.to);
  const before = fs.readdirSync("/proc/self/fd").length;
  removeEntry(linuxDisk, parent, "d");
  assert.equal(fs.readdirSync("/proc/self/fd").length, before);
  linuxDisk.closeDirectory(parent);
  assert.deepEqual(fs.readdirSync(pair.to), []);
});

test("what a file takes the place of is counted, told, and held against the limit", () => {
  for (let index = 0; index < 150; index++) write(pair.to, `d/${index}`);
  write(pair.from, "d");
  pair.scanRules = { deletes: "also" };
  const stage = pair.stage();
  assert.equal(stage.findingCount, 150);
  assert.throws(() => stage.prepare(), RefusalError);
  finish(stage.clean());
  assert.equal(names().length, 151);
  pair.scanRules = {};
  assert.throws(() => pair.push(), /^StageError: d: it is a directory .* not empty: add --delete/);
  assert.equal(names().length, 151);
  for (let index = 0; index < 150; index++) fs.rmSync(path.join(pair.to, `d/${index}`));
  pair.push();
  assert.equal(fs.readFileSync(path.join(pair.to, "d"), "utf8"), "d", "a plain push replaces an empty one");
});

test("a file does not take the place of a directory that holds something excluded", () => {
  write(pair.to, "d/x.log");
  write(pair.from, "d");
  pair.scanRules = { deletes: "also", excludes: ["*.log"] };
  assert.throws(() => pair.stage(), /d: it is a directory on this member, and something in it is excluded/);
  assert.deepEqual(names(), ["d", "d/x.log"]);
});

test("a further name of a file that the member keeps for itself becomes a file of its own", () => {
  write(pair.to, "a");
  fs.writeFileSync(path.join(pair.to, "a"), "its own");
  fs.rmSync(path.join(pair.from, "b"));
  fs.linkSync(path.join(pair.from, "a"), path.join(pair.from, "b"));
  pair.protection = Protection.of(["a"], "/base");
  pair.push();
  const text = fs.readFileSync(path.join(pair.from, "a"), "latin1");
  assert.deepEqual(contents(pair.to), { a: "its own", b: text });
  fs.writeFileSync(path.join(pair.from, "a"), "changed");
  pair.scanRules = { comparesContents: true, isCheck: true };
  pair.differences = [];
  finish(pair.stage([""], true).clean());
  assert.equal(pair.differences.filter((one) => one !== 0).length, 1, "a check tells it");
  pair.scanRules = {};
  pair.push();
  assert.deepEqual(contents(pair.to), { a: "its own", b: "changed" });
});

test("further names of a file that was withdrawn stay as they are", () => {
  write(pair.to, "a", "b");
  fs.rmSync(path.join(pair.from, "b"));
  fs.writeFileSync(path.join(pair.from, "a"), "new and longer");
  fs.linkSync(path.join(pair.from, "a"), path.join(pair.from, "b"));
  const stage = whileVanishing(path.join(pair.from, "a"), () => pair.stage());
  stage.prepare();
  stage.commit();
  finish(stage.clean());
  assert.deepEqual(contents(pair.to), { a: "a", b: "b" });
});

test("where no links can be made, names of one file become files of their own", () => {
  fs.linkSync(path.join(pair.from, "a"), path.join(pair.from, "c"));
  whileCalling("link", failing("EPERM"), () => pair.push());
  assert.deepEqual(contents(pair.to), contents(pair.from));
});

test("a file that changes its name during the listing is not lost, even if no time tells", () => {
  fs.utimesSync(pair.from, 1_000_000, 1_000_000);
  pair.push();
  pair.scanRules = { deletes: "also" };
  const original = fs.opendirSync;
  fs.opendirSync = (...args: Parameters<typeof original>) => {
    const directory = original(...args);
    const readSync = directory.readSync.bind(directory);
    directory.readSync = () => {
      const entry = readSync();
      if (entry === null && fs.existsSync(path.join(pair.from, "a")))
        fs.renameSync(path.join(pair.from, "a"), path.join(pair.from, "zz"));
      // Times of the kernel are coarse: two changes may get the same time.
      if (entry === null) fs.utimesSync(pair.from, 1_000_000, 1_000_000);
      return entry;
    };
    return directory;
  };
  try {
    pair.push();
  } finally {
    fs.opendirSync = original;
  }
  assert.deepEqual(contents(pair.to), contents(pair.from), "it has come by its new name");
});

test("what is made after a crash is not deleted by what the start finishes", () => {
  write(pair.to, "gone");
  pair.scanRules = { deletes: "also" };
  const stage = pair.stage();
  stage.prepare();
  const area = path.join(pair.to, ".makuosan", pair.leftOver()[0]!);
  const original = fs.fsyncSync;
  fs.fsyncSync = failing("EIO");
  try {
    const failure = stage.commit();
    assert.deepEqual([failure?.code, failure?.when], ["not-durable", "after"]);
    assert.equal(
      textOf(failure),
      "all is new, but it is not durable yet: the disk reports an input/output error",
    );
  } finally {
    fs.fsyncSync = original;
  }
  fs.renameSync(path.join(area, "done"), path.join(area, "commit"));
  assert.deepEqual(names(), ["a", "b"]);
  write(pair.to, "gone");
  assert.equal(recover(Directories.at(linuxDisk, pair.to), pair.rules).length, 1);
  assert.deepEqual(names(), ["a", "b", "gone"]);
});

test("a path that is gone is deleted also below a directory that is sent", () => {
  write(pair.from, "w/x");
  write(pair.to, "w/gone", "w/other");
  pair.scanRules = { syncs: true };
  pair.push(["w", "w/gone"]);
  assert.deepEqual(names(), ["w", "w/other", "w/x"]);
});

test("deletes alone leave the attributes of directories", () => {
  write(pair.from, "d/x");
  write(pair.to, "d/x", "d/old");
  fs.chmodSync(path.join(pair.from, "d"), 0o700);
  fs.chmodSync(path.join(pair.to, "d"), 0o755);
  pair.scanRules = { deletes: "only" };
  pair.push();
  assert.equal(fs.statSync(path.join(pair.to, "d")).mode & 0o777, 0o755);
  assert.deepEqual(names(), ["d", "d/x"]);
});

test("a dry run counts the further names of a file that changes", () => {
  fs.linkSync(path.join(pair.from, "a"), path.join(pair.from, "c"));
  pair.push();
  fs.writeFileSync(path.join(pair.from, "a"), "another content");
  pair.wanted = 0;
  finish(pair.stage([""], true).clean());
  assert.equal(pair.wanted, 2);
});

test("when a disk is full just before another transfer commits, only the later transfer fails", () => {
  pair.push();
  const own = pair.stage();
  own.prepare();
  fs.writeFileSync(path.join(pair.from, "a"), "another content");
  const other = pair.stage();
  other.prepare();
  whileCalling("makeDirectory", failing("ENOSPC"), () => own.yieldTo(other.steps()));
  assert.equal(other.commit(), undefined);
  finish(other.clean());
  assert.equal(own.commit()?.code, "ENOSPC");
  finish(own.clean());
  assert.deepEqual(contents(pair.to), contents(pair.from));
});
