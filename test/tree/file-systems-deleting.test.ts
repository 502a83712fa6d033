import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { recover } from "../../src/tree/apply/recovery.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { type Mounted, mountImage, mountOverlay, runs, unmount } from "../support/images.ts";
import { contents, StagingPair, textOf } from "../support/staging.ts";

/** Deleting and replacing on real file systems, where this machine has them and the test is root. */

const isRoot = process.getuid?.() === 0;
const options = isRoot ? {} : { skip: "file systems can be mounted by root only" };

const write = (base: string, files: Readonly<Record<string, string>>) => {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(base, name)), { recursive: true });
    fs.writeFileSync(path.join(base, name), text);
  }
};

/** A pair whose receiver is on a file system; undefined if the test has been skipped. */
function pairOn(context: TestContext, mounted: Mounted | undefined): StagingPair | undefined {
  if (mounted === undefined) {
    context.skip("this machine cannot mount it");
    return undefined;
  }
  const pair = new StagingPair(undefined, path.join(mounted.at, "base"));
  context.after(() => {
    pair.destroy();
    mounted.close();
  });
  return pair;
}

const refusal = (pair: StagingPair, dryRun: boolean) => {
  try {
    const stage = pair.stage([""], dryRun);
    if (!dryRun) stage.prepare();
    stage.clean();
    return "none";
  } catch (error) {
    return (error as Error).message;
  } finally {
    fs.rmSync(path.join(pair.to, ".makuosan"), { recursive: true, force: true });
  }
};

const HERE = { "site/up": "u", "old/a": "a", "old/in/b": "b", keep: "k" };

const FILE_SYSTEMS: Readonly<Record<string, () => Mounted | undefined>> = {
  ext4: () => mountImage(["mkfs.ext4", "-q"]),
  XFS: () => mountImage(["mkfs.xfs", "-q"]),
  btrfs: () => mountImage(["mkfs.btrfs", "-q"]),
  overlayfs: () => mountOverlay((lower) => write(path.join(lower, "base"), HERE)),
};

for (const [name, mount] of Object.entries(FILE_SYSTEMS)) {
  test(
    `${name}: a directory gives way with --delete alone, and what appears in one stays`,
    options,
    (context) => {
      const pair = pairOn(context, mount());
      if (pair === undefined) return;
      write(pair.to, HERE);
      write(pair.from, { keep: "kk" });
      fs.symlinkSync("elsewhere", path.join(pair.from, "site"));
      for (const dryRun of [false, true])
        assert.match(
          refusal(pair, dryRun),
          /^site: it is a directory on this member that is not empty: add --delete/,
        );
      assert.deepEqual(contents(pair.to)["site/up"], "u");
      pair.scanRules = { deletes: "also" };
      const stage = pair.stage();
      stage.prepare();
      write(pair.to, { "old/in/upload": "mine" });
      assert.match(textOf(stage.commit()), /^all is new but old: old\/in\/upload appeared in it/);
      stage.clean();
      const expected = { keep: "kk", site: "link to elsewhere" };
      const old = {
        old: "directory",
        "old/a": "a",
        "old/in": "directory",
        "old/in/b": "b",
        "old/in/upload": "mine",
      };
      assert.deepEqual(contents(pair.to), { ...expected, ...old });
      pair.push();
      assert.deepEqual(contents(pair.to), expected);
      assert.deepEqual(pair.leftOver(), []);
      assert.deepEqual(recover(Directories.at(linuxDisk, pair.to), pair.rules), []);
    },
  );
}

test(
  "ext4: immutable and append-only entries and mounts are foreseen, by a dry run too",
  options,
  (context) => {
    const pair = pairOn(context, FILE_SYSTEMS["ext4"]?.());
    if (pair === undefined) return;
    const at = (name: string) => path.join(pair.to, name);
    const cases: readonly (readonly [files: Record<string, string>, mark: string, RegExp])[] = [
      [{ keep: "kk", "old/a": "a", "old/in/b": "b" }, "keep", /^keep: it is marked as/],
      [{ keep: "k" }, "old/in/b", /^old\/in\/b: it is marked as/],
      [{ ...HERE, "old/in/new": "n" }, "old/in", /^old\/in: it is marked as/],
    ];
    pair.scanRules = { deletes: "also", isForced: true };
    for (const flag of ["i", "a"]) {
      for (const [files, marked, expected] of cases) {
        fs.rmSync(pair.from, { recursive: true });
        fs.mkdirSync(pair.from);
        write(pair.to, HERE);
        write(pair.from, files);
        if (!runs("chattr", [`+${flag}`, at(marked)])) {
          context.skip("chattr cannot set marks on it");
          return;
        }
        try {
          for (const dryRun of [false, true]) assert.match(refusal(pair, dryRun), expected, marked);
        } finally {
          runs("chattr", [`-${flag}`, at(marked)]);
        }
      }
    }
    fs.rmSync(pair.from, { recursive: true });
    write(pair.from, { keep: "kk", "old/in/b": "other" });
    write(pair.to, HERE);
    for (const [source, target, expected] of [
      ["keep", "old/a", /^old\/a: something is mounted on it/],
      ["site", "old/in", /^old\/in: something is mounted on it/],
      ["site/up", "keep", /^keep: something is mounted on it/],
    ] as const) {
      assert.ok(runs("mount", ["--bind", at(source), at(target)]));
      try {
        if (target === "keep") pair.scanRules = {};
        for (const dryRun of [false, true]) assert.match(refusal(pair, dryRun), expected, target);
      } finally {
        unmount(at(target));
      }
    }
  },
);

test("XFS: a directory of another quota project is foreseen", options, (context) => {
  const pair = pairOn(context, mountImage(["mkfs.xfs", "-q"]));
  if (pair === undefined) return;
  write(pair.to, { "d/f": "f" });
  write(pair.from, { "d/f": "other" });
  if (!runs("xfs_io", ["-c", "chproj 7", "-c", "chattr +P", path.join(pair.to, "d")])) {
    context.skip("xfs_io cannot set a project on it");
    return;
  }
  for (const dryRun of [false, true])
    assert.match(refusal(pair, dryRun), /^d: its directory belongs to another quota project/);
});

test("ext4 that ignores case: a rename of the case alone deletes nothing", options, (context) => {
  const mounted = mountImage(["mkfs.ext4", "-q", "-O", "casefold", "-E", "encoding=utf8"]);
  const pair = pairOn(context, mounted);
  if (pair === undefined) return;
  if (!runs("chattr", ["+F", pair.to])) {
    context.skip("this kernel cannot ignore case");
    return;
  }
  write(pair.to, { readme: "old", "Dir/x": "x" });
  write(pair.from, { README: "new", "DIR/x": "x" });
  pair.scanRules = { deletes: "also" };
  pair.push();
  assert.equal(fs.readFileSync(path.join(pair.to, "README"), "utf8"), "new");
  assert.equal(fs.readFileSync(path.join(pair.to, "DIR/x"), "utf8"), "x");
  pair.push();
  assert.equal(Object.keys(contents(pair.to)).length, 3);
});
