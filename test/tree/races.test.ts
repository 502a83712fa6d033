import { finish } from "../../src/base/steps.ts";
import { reason } from "../../src/base/reason.ts";
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { recover } from "../../src/tree/apply/recovery.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { JournalWriter } from "../../src/tree/apply/journal.ts";
import { StepKind } from "../../src/tree/decide/decision.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { StageError } from "../../src/tree/reasons/stage-error.ts";
import {
  contents,
  whileSettling,
  StagingPair,
  whileVanishing,
  textOf,
  whileCalling,
} from "../support/staging.ts";

/** Changes by others to the trees while a transfer is being staged. */

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
  assert.match(textOf(stage.commit()), /^all is new but dir\/file: .*symbolic link, which is not followed$/);
  assert.deepEqual(fs.readdirSync(outside), []);
});

test("a link in place of the staging directory is moved out of the way, not followed", () => {
  fs.symlinkSync(outside, path.join(pair.to, ".makuosan"));
  pair.push();
  assert.deepEqual(fs.readdirSync(outside), []);
  const [moved = ""] = fs.readdirSync(pair.to).filter((name) => name.startsWith(".makuosan"));
  assert.match(moved, /^\.makuosan-foreign-[0-9a-f]{8}$/);
  assert.equal(fs.readlinkSync(path.join(pair.to, moved)), outside);
});

test("two transfers that both make a directory fill it together", () => {
  const first = pair.stage(["dir"]);
  first.prepare();
  fs.rmSync(path.join(pair.from, "dir/file"));
  fs.mkdirSync(path.join(pair.from, "dir/sub"));
  fs.writeFileSync(path.join(pair.from, "dir/sub/other"), "other");
  const second = pair.stage(["dir"]);
  second.prepare();
  for (const stage of [first, second]) {
    assert.equal(stage.commit(), undefined);
    finish(stage.clean());
  }
  assert.deepEqual(contents(pair.to), {
    dir: "directory",
    "dir/file": "content",
    "dir/sub": "directory",
    "dir/sub/other": "other",
  });
  const time = (base: string) => fs.statSync(path.join(base, "dir"), { bigint: true }).mtimeNs;
  assert.equal(time(pair.to), time(pair.from));
});

test("a directory that is announced twice, on the way and for itself, is made once", () => {
  for (const paths of [
    ["dir", "dir/file"],
    ["dir/file", "dir"],
  ]) {
    const stage = pair.stage(paths, false, false);
    stage.prepare();
    assert.equal(stage.commit(), undefined);
    finish(stage.clean());
    assert.deepEqual(contents(pair.to), { dir: "directory", "dir/file": "content" });
    fs.rmSync(path.join(pair.to, "dir"), { recursive: true });
  }
});

test("a file that changes after its first block was read is never completed", () => {
  const file = path.join(pair.from, "dir/file");
  fs.writeFileSync(file, "B".repeat(1_000_000));
  let reads = 0;
  const changing = () => {
    if (++reads === 5) fs.writeFileSync(file, "C".repeat(1_000_000));
  };
  whileCalling("read", changing, () => pair.push());
  assert.deepEqual(pair.notices, [
    { kind: "unreadable", path: "dir/file", reason: reason("changed-while-sent") },
  ]);
  assert.deepEqual(contents(pair.to), { dir: "directory" });
});

test("a file that vanishes between manifest and reading is withdrawn, and the rest arrives", () => {
  for (const name of ["x", "y", "z"]) fs.writeFileSync(path.join(pair.from, name), name.repeat(100_000));
  whileVanishing(path.join(pair.from, "y"), () => pair.push());
  assert.deepEqual(pair.notices, [{ kind: "unreadable", path: "y", reason: reason("ENOENT") }]);
  assert.deepEqual(Object.keys(contents(pair.to)).sort(), ["dir", "dir/file", "x", "z"]);
});

test("a transfer whose contents are incomplete is never prepared", () => {
  const stage = pair.stage([""], false);
  const { size } = fs.statSync(path.join(pair.from, "dir/file"));
  assert.ok(size > 0);
  stage.prepare();
  finish(stage.clean());
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

test("a directory with more subdirectories than descriptors are kept is compared as a whole", () => {
  for (let index = 0; index < 300; index++) fs.mkdirSync(path.join(pair.from, `sub${index}`));
  for (let index = 0; index < 50; index++) fs.writeFileSync(path.join(pair.from, `z${index}`), "same");
  pair.push();
  const changed = new Date(1_000_000_000_000);
  for (let index = 0; index < 300; index++)
    fs.utimesSync(path.join(pair.from, `sub${index}`), changed, changed);
  pair.wanted = 0;
  pair.push();
  assert.equal(pair.wanted, 300);
});

test("a directory that vanishes after it was compared ends the transfer, and nothing is lost silently", () => {
  fs.mkdirSync(path.join(pair.from, "a"));
  fs.mkdirSync(path.join(pair.from, "z"));
  for (let index = 0; index < 600; index++)
    fs.writeFileSync(path.join(pair.from, "a", `${index}`.padEnd(200, "x")), "");
  fs.writeFileSync(path.join(pair.from, "z", "file"), "content");
  fs.mkdirSync(path.join(pair.to, "z"));
  pair.beforeBlock = (number) => {
    if (number === 1) fs.rmSync(path.join(pair.to, "z"), { recursive: true, force: true });
  };
  assert.throws(() => pair.push(), /^StageError: z: it has vanished on this member during the transfer$/);
});

test("a journal that somebody has put there cannot lead out of the base directory", () => {
  const area = path.join(pair.to, ".makuosan", "evil-1");
  fs.mkdirSync(path.join(area, "tree"), { recursive: true, mode: 0o700 });
  fs.writeFileSync(path.join(pair.to, ".makuosan", "payload"), "payload");
  const journal = new JournalWriter(linuxDisk, linuxDisk.openRoot(area), "commit");
  journal.add(StepKind.place, EntryType.file, "../../outside/evil");
  journal.finish();
  const [recovered] = recover(Directories.at(linuxDisk, pair.to), pair.rules);
  assert.equal(recovered?.failure?.code, "damaged");
  assert.deepEqual(fs.readdirSync(outside), []);
});

test("a staging directory that others can write to is not used, and does not stop transfers", () => {
  fs.mkdirSync(path.join(pair.to, ".makuosan"));
  fs.writeFileSync(path.join(pair.to, ".makuosan/file"), "somebody's");
  fs.chmodSync(path.join(pair.to, ".makuosan"), 0o777);
  pair.push();
  const [moved = ""] = fs.readdirSync(pair.to).filter((name) => name.startsWith(".makuosan"));
  assert.equal(fs.readFileSync(path.join(pair.to, moved, "file"), "utf8"), "somebody's");
});

for (const [what, change] of [
  [
    "another file of the same size and time in its place",
    (name: string, time: Date) => {
      fs.writeFileSync(`${name}.other`, "y".repeat(100_000));
      fs.utimesSync(`${name}.other`, time, time);
      fs.renameSync(`${name}.other`, name);
    },
  ],
  [
    "other contents, and its old time",
    (name: string, time: Date) => {
      fs.writeFileSync(name, "y".repeat(100_000));
      fs.utimesSync(name, time, time);
    },
  ],
  ["another mode", (name: string) => fs.chmodSync(name, 0o600)],
] as const) {
  test(`a file that gets ${what} while it is sent is not sent`, () => {
    const name = path.join(pair.from, "dir/file");
    const time = new Date(1_600_000_000_000);
    fs.writeFileSync(name, "x".repeat(100_000), { mode: 0o644 });
    fs.utimesSync(name, time, time);
    // The manifest has gone out, and the contents have not been read.
    whileSettling(
      () => change(name, time),
      () => pair.push(),
    );
    assert.deepEqual(pair.notices, [
      { kind: "unreadable", path: "dir/file", reason: reason("changed-while-sent") },
    ]);
    assert.ok(!fs.existsSync(path.join(pair.to, "dir/file")));
  });
}

test("a file that only gets another name while it is sent is sent", () => {
  const name = path.join(pair.from, "dir/file");
  whileSettling(
    () => fs.linkSync(name, `${name}.2`),
    () => pair.push(),
  );
  assert.deepEqual(pair.notices, []);
  assert.ok(fs.existsSync(path.join(pair.to, "dir/file")));
});
