import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { contents, StagingPair } from "../support/staging.ts";
import { asNobody, isRoot } from "../sys/support.ts";

/** Directories that are closed to their own user, on the real disk and without privileges. */

/** Runs a test as an ordinary user, also if root has started it. */
function asOrdinaryUser(work: (pair: StagingPair) => void): void {
  const run = () => {
    const pair = new StagingPair();
    Object.assign(pair.rules, { keepOwner: false });
    try {
      work(pair);
    } finally {
      openAll(pair.directory);
      pair.destroy();
    }
  };
  if (isRoot) asNobody(run);
  else run();
}

function openAll(directory: string): void {
  fs.chmodSync(directory, 0o700);
  for (const entry of fs.readdirSync(directory, { withFileTypes: true }))
    if (entry.isDirectory()) openAll(path.join(directory, entry.name));
}

const modeOf = (file: string) => (fs.statSync(file).mode & 0o7777).toString(8);

test("a module cache, with directories of mode 0555, is changed and deleted in at each push", () => {
  asOrdinaryUser((pair) => {
    const module = path.join(pair.from, "mod/cache@v1");
    pair.scanRules = { deletes: "also" };
    fs.mkdirSync(path.join(module, "sub"), { recursive: true });
    for (const file of ["go.mod", "old.go", "sub/x.go"]) fs.writeFileSync(path.join(module, file), file);
    for (const one of ["sub", ""]) fs.chmodSync(path.join(module, one), 0o555);
    pair.push();
    fs.chmodSync(module, 0o755);
    fs.writeFileSync(path.join(module, "go.mod"), "changed");
    fs.rmSync(path.join(module, "old.go"));
    fs.writeFileSync(path.join(module, "new.go"), "new");
    fs.chmodSync(module, 0o555);
    pair.push();
    assert.deepEqual(contents(pair.to), contents(pair.from));
    assert.equal(modeOf(path.join(pair.to, "mod/cache@v1")), "555");
    pair.wanted = 0;
    pair.push();
    assert.equal(pair.wanted, 0, "nothing goes twice");
    openAll(module);
    fs.rmSync(module, { recursive: true });
    pair.push();
    assert.deepEqual(contents(pair.to), { mod: "directory" });
    assert.deepEqual(pair.leftOver(), []);
  });
});

test("a directory that had the mode 000 once is filled again", () => {
  asOrdinaryUser((pair) => {
    fs.mkdirSync(path.join(pair.from, "d"));
    fs.writeFileSync(path.join(pair.from, "d/x"), "x");
    pair.push();
    fs.chmodSync(path.join(pair.to, "d"), 0);
    fs.writeFileSync(path.join(pair.from, "d/x"), "changed");
    pair.push();
    assert.equal(modeOf(path.join(pair.to, "d")), modeOf(path.join(pair.from, "d")));
    assert.deepEqual(contents(pair.to), contents(pair.from));
  });
});
