import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, test, type TestContext } from "node:test";
import { finish } from "../../src/base/steps.ts";
import { reason } from "../../src/base/reason.ts";
import { exactReason } from "../../src/tree/apply/no-inodes.ts";
import { stageFailure } from "../../src/tree/apply/stage.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { type FileSystem, withFileSystem } from "../support/file-systems.ts";
import { StagingPair } from "../support/staging.ts";

/** Pushes between directories of file systems that lack something; as root, who can mount them. */

/** A push from one directory of a new file system to another one of it. */
function onFileSystem(context: TestContext, name: FileSystem, work: (pair: StagingPair) => void): void {
  const skipped = withFileSystem(name, (root) => {
    const pair = new StagingPair(root);
    try {
      work(pair);
    } finally {
      pair.destroy();
    }
    return undefined;
  });
  if (skipped !== undefined) context.skip(skipped.skip);
}

describe("the lost+found of a file system", () => {
  test("is neither sent nor deleted, nor is it what keeps a base directory from being empty", (context) => {
    const skipped = withFileSystem("ext4", (root) => {
      const pair = new StagingPair();
      try {
        pair.scanRules = { deletes: "also" };
        fs.writeFileSync(path.join(pair.from, "f"), "f");
        Object.assign(pair, { to: root });
        pair.push();
        assert.deepEqual(names(root), ["f", "lost+found"], "a member's stays");
        Object.assign(pair, { from: root, to: path.join(pair.directory, "to") });
        pair.push();
        assert.deepEqual(names(pair.to), ["f"], "a sender's is not sent");
        pair.push(["lost+found"]);
        assert.deepEqual(pair.notices, [
          { kind: "excluded", path: "lost+found", reason: reason("lost-and-found") },
        ]);
        fs.rmSync(path.join(root, "f"));
        assert.throws(() => pair.push(), /is empty here/);
      } finally {
        pair.destroy();
      }
      return undefined;
    });
    if (skipped !== undefined) context.skip(skipped.skip);
  });
});

describe("times of directories", () => {
  for (const name of ["tmpfs", "ext4", "xfs", "btrfs", "overlayfs"] as const)
    test(`${name}: a check finds nothing after a file, a delete, or a directory in the place of a file`, (context) => {
      onFileSystem(context, name, (pair) => {
        fs.mkdirSync(path.join(pair.from, "d/e"), { recursive: true });
        fs.writeFileSync(path.join(pair.from, "d/e/x"), "x");
        fs.writeFileSync(path.join(pair.from, "d/was"), "a file");
        pair.push();
        fs.writeFileSync(path.join(pair.from, "d/e/new"), "new");
        pair.push(["d/e/new"]);
        assert.equal(checked(pair), 0, "a new file");
        fs.rmSync(path.join(pair.from, "d/e/new"));
        pair.scanRules = { deletes: "only", syncs: true };
        pair.push(["d/e/new"], false);
        pair.scanRules = {};
        assert.equal(checked(pair), 0, "a delete");
        fs.rmSync(path.join(pair.from, "d/was"));
        fs.mkdirSync(path.join(pair.from, "d/was"));
        fs.writeFileSync(path.join(pair.from, "d/was/in"), "in");
        pair.push();
        assert.equal(checked(pair), 0, "a directory in the place of a file");
      });
    });
});

describe("times that the file system cannot hold", () => {
  for (const name of ["ext4 with whole seconds", "ext4", "xfs", "btrfs", "tmpfs"] as const)
    test(`${name}: nothing goes twice`, (context) => {
      onFileSystem(context, name, (pair) => {
        // The sender's file system is that of the temporary folder, which holds all of them.
        const fine = new StagingPair();
        Object.assign(pair, { from: fine.from });
        for (const [index, seconds] of [1_700_000_000.123, -3_000_000_000, 9_000_000_000.5].entries()) {
          const file = path.join(pair.from, `f${index}`);
          fs.writeFileSync(file, "text");
          fs.utimesSync(file, seconds, seconds);
        }
        pair.push();
        assert.equal(checked(pair), 0);
        fs.utimesSync(path.join(pair.from, "f0"), 1_700_000_001.5, 1_700_000_001.5);
        assert.equal(checked(pair), 1);
        fine.destroy();
      });
    });
});

/** How many entries a check finds to differ. */
function checked(pair: StagingPair): number {
  pair.wanted = 0;
  finish(pair.stage([""], true).clean());
  return pair.wanted;
}

/** By this call, Node does not look at the entries. */
const names = (directory: string) => fs.readdirSync(directory, "latin1").sort();

describe("without the types of entries in directories", () => {
  for (const name of ["ext4 without types", "xfs without types"] as const)
    test(`${name}: names are bytes, and everything is sent and deleted`, (context) => {
      onFileSystem(context, name, (pair) => {
        for (const one of ["\xff\xfe", "plain", "ä".repeat(20)])
          fs.writeFileSync(Buffer.from(`${pair.from}/${one}`, "latin1"), one);
        fs.mkdirSync(path.join(pair.from, "d"));
        fs.symlinkSync("plain", path.join(pair.from, "link"));
        fs.mkdirSync(path.join(pair.to, "old"));
        fs.writeFileSync(Buffer.from(`${pair.to}/old/\xff`, "latin1"), "old");
        pair.scanRules = { deletes: "also" };
        pair.push();
        assert.deepEqual(pair.notices, []);
        const from = names(pair.from);
        assert.deepEqual(names(pair.to), from);
        assert.equal(from.length, 5);
      });
    });
});

describe("no inodes are left", () => {
  for (const name of ["tmpfs with few inodes", "ext4 with few inodes"] as const)
    test(`${name}: a push says so, a dry run foresees it, and nothing is left over`, (context) => {
      onFileSystem(context, name, (pair) => {
        const fine = new StagingPair();
        Object.assign(pair, { from: fine.from });
        for (let number = 0; number < 8; number++)
          fs.writeFileSync(path.join(pair.from, `f${number}`), "text");
        const fillers = fill(pair.directory);
        const base = Directories.at(linuxDisk, pair.to);
        const reasonOf = (dryRun: boolean) => {
          try {
            const stage = pair.stage([""], dryRun);
            if (!dryRun) stage.prepare();
            finish(stage.clean());
            return undefined;
          } catch (error) {
            return exactReason(stageFailure(error), base);
          }
        };
        // Each time one more is free: a transfer can begin a little less, and never all of it.
        for (let free = 0; free < 12; free++) {
          assert.equal(reasonOf(true)?.code, "too-few-inodes", `${free} free`);
          const why = reasonOf(false);
          assert.equal(why?.code, "no-inodes", `${free} free`);
          assert.match(why.path ?? "", /^(\.makuosan|f\d)$/);
          assert.equal(fs.existsSync(path.join(pair.to, ".makuosan")), false, `${free} free`);
          fs.rmSync(fillers.pop() ?? "");
        }
        assert.equal(reasonOf(true), undefined, "12 free");
        assert.equal(reasonOf(false), undefined, "12 free");
        base.close();
        fine.destroy();
      });
    });
});

/** Makes files until no inode is left; there is plenty of room for bytes. */
function fill(directory: string): string[] {
  const made: string[] = [];
  for (;;) {
    const filler = path.join(directory, `filler${made.length}`);
    try {
      fs.closeSync(fs.openSync(filler, "wx"));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
      assert.ok(made.length >= 12, "the file system has inodes for the test");
      return made;
    }
    made.push(filler);
  }
}
