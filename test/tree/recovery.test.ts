import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { recover } from "../../src/tree/apply/recovery.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { contents, StagingPair, whileVanishing } from "../support/staging.ts";

/** A start after a crash at each step: the tree stays wholly old, or becomes wholly new. */

let pair: StagingPair;

beforeEach(() => {
  pair = new StagingPair();
  const write = (base: string, name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(base, name)), { recursive: true });
    fs.writeFileSync(path.join(base, name), text);
  };
  for (const name of ["a", "dir/b", "was-file", "was-dir/inner"]) write(pair.from, name, "old");
  pair.push();
  for (const name of ["a", "dir/b", "dir/c", "new/deep/d", "was-file/x", "was-dir"]) {
    fs.rmSync(path.join(pair.from, name.split("/")[0] === "was-file" ? "was-file" : name), {
      recursive: true,
      force: true,
    });
    write(pair.from, name, `new ${name}`);
  }
  pair.scanRules = { deletes: "also" };
});

afterEach(() => pair.destroy());

const runRecovery = () => recover(Directories.at(linuxDisk, pair.to), pair.rules);
const area = () => path.join(pair.to, ".makuosan", "t-2");

test("what is only staged is removed", () => {
  const old = contents(pair.to);
  pair.stage();
  assert.notDeepEqual(pair.leftOver(), []);
  assert.deepEqual(runRecovery(), []);
  assert.deepEqual(contents(pair.to), old);
  assert.deepEqual(pair.leftOver(), []);
});

test("what is ready, but was not told to commit, is removed", () => {
  const old = contents(pair.to);
  pair.stage().prepare();
  assert.deepEqual(runRecovery(), []);
  assert.deepEqual(contents(pair.to), old);
  assert.deepEqual(pair.leftOver(), []);
});

test("a withdrawn file does not make a transfer look as if its commit had begun", () => {
  const old = contents(pair.to);
  fs.writeFileSync(path.join(pair.from, "vanishing"), "content");
  const stage = whileVanishing(path.join(pair.from, "vanishing"), () => pair.stage());
  assert.equal(pair.notices.length, 1);
  stage.prepare();
  assert.deepEqual(runRecovery(), []);
  assert.deepEqual(contents(pair.to), old);
});

test("a commit that had only its name is finished", () => {
  pair.stage().prepare();
  fs.renameSync(path.join(area(), "ready"), path.join(area(), "commit"));
  assert.deepEqual(runRecovery(), [{ name: "t-2", failure: undefined, isLeft: false }]);
  assert.deepEqual(contents(pair.to), contents(pair.from));
  assert.deepEqual(pair.leftOver(), []);
});

test("a commit that stopped after any of its renames is finished, also when only the renames are on disk", () => {
  for (const name of ["commit", "ready"]) {
    for (const done of [["a"], ["a", "dir/b"], ["new"], ["a", "dir/b", "dir/c", "new"]]) {
      const stage = pair.stage();
      stage.prepare();
      const staged = path.join(pair.to, ".makuosan", pair.leftOver()[0]!);
      for (const one of done) fs.renameSync(path.join(staged, "tree", one), path.join(pair.to, one));
      if (name === "commit") fs.renameSync(path.join(staged, "ready"), path.join(staged, "commit"));
      assert.equal(runRecovery().length, 1);
      assert.deepEqual(contents(pair.to), contents(pair.from), `${name} after ${done.join(", ")}`);
      for (const one of ["a", "dir/b", "dir/c"]) fs.writeFileSync(path.join(pair.to, one), "something else");
      fs.rmSync(path.join(pair.to, "new"), { recursive: true });
    }
  }
});

test("a commit that is done but not cleared away changes nothing any more", () => {
  const stage = pair.stage();
  stage.prepare();
  stage.commit();
  fs.writeFileSync(path.join(pair.to, "a"), "changed since");
  assert.deepEqual(runRecovery(), []);
  assert.equal(fs.readFileSync(path.join(pair.to, "a"), "utf8"), "changed since");
  assert.deepEqual(pair.leftOver(), []);
});

test("with nothing to do, nothing is written at all", () => {
  pair.push();
  const before = fs.statSync(pair.to, { bigint: true }).mtimeNs;
  pair.push();
  assert.equal(fs.statSync(pair.to, { bigint: true }).mtimeNs, before);
});

test("between transfers nothing but the files is in the base directory", () => {
  pair.push();
  assert.deepEqual(fs.readdirSync(pair.to).sort(), fs.readdirSync(pair.from).sort());
  fs.writeFileSync(path.join(pair.from, "more"), "more");
  pair.stage();
  assert.ok(fs.existsSync(path.join(pair.to, ".makuosan")));
  runRecovery();
  assert.ok(!fs.existsSync(path.join(pair.to, ".makuosan")));
});

test("a dry run stages nothing", () => {
  const old = contents(pair.to);
  pair.stage([""], true);
  assert.deepEqual(contents(pair.to), old);
  assert.deepEqual(pair.leftOver(), []);
});
