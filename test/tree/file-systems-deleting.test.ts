import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, type TestContext, test } from "node:test";
import { finish } from "../../src/base/steps.ts";
import { recover } from "../../src/tree/apply/recovery.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { type FileSystem, mountFileSystem, run } from "../support/file-systems.ts";
import { carryOut, contents, StagingPair, textOf } from "../support/staging.ts";

/** Deleting and replacing on real file systems, where this machine has them and the test is root. */

const isRoot = process.getuid?.() === 0;
const options = isRoot ? {} : { skip: "file systems can be mounted by root only" };

const runs = (program: string, ...args: string[]) => run(program, ...args) === undefined;

const write = (base: string, files: Readonly<Record<string, string>>) => {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(base, name)), { recursive: true });
    fs.writeFileSync(path.join(base, name), text);
  }
};

/** A pair whose receiver is on a file system; undefined if the test has been skipped. */
function pairOn(context: TestContext, name: FileSystem): StagingPair | undefined {
  const mounted = mountFileSystem(name, (lower) => write(path.join(lower, "base"), HERE));
  if ("skip" in mounted) {
    context.skip(mounted.skip);
    return undefined;
  }
  const pair = new StagingPair(undefined, path.join(mounted.root, "base"));
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
    finish(stage.clean());
    return "none";
  } catch (error) {
    return (error as Error).message;
  } finally {
    fs.rmSync(path.join(pair.to, ".makuosan"), { recursive: true, force: true });
  }
};

const HERE = { "site/up": "u", "old/a": "a", "old/in/b": "b", keep: "k" };

for (const name of ["ext4", "xfs", "btrfs", "overlayfs"] as const) {
  test(
    `${name}: a directory gives way with --delete alone, and what appears in one stays`,
    options,
    (context) => {
      const pair = pairOn(context, name);
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
      assert.match(textOf(carryOut(stage)), /^all is new but old: old\/in\/upload appeared in it/);
      finish(stage.clean());
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
    const pair = pairOn(context, "ext4");
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
        if (!runs("chattr", `+${flag}`, at(marked))) {
          context.skip("chattr cannot set marks on it");
          return;
        }
        try {
          for (const dryRun of [false, true]) assert.match(refusal(pair, dryRun), expected, marked);
        } finally {
          runs("chattr", `-${flag}`, at(marked));
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
      assert.ok(runs("mount", "--bind", at(source), at(target)));
      try {
        if (target === "keep") pair.scanRules = {};
        for (const dryRun of [false, true]) assert.match(refusal(pair, dryRun), expected, target);
      } finally {
        run("umount", "--lazy", at(target));
      }
    }
  },
);

test("XFS: a directory of another quota project is foreseen", options, (context) => {
  const pair = pairOn(context, "xfs");
  if (pair === undefined) return;
  write(pair.to, { "d/f": "f" });
  write(pair.from, { "d/f": "other" });
  if (!runs("xfs_io", "-c", "chproj 7", "-c", "chattr +P", path.join(pair.to, "d"))) {
    context.skip("xfs_io cannot set a project on it");
    return;
  }
  for (const dryRun of [false, true])
    assert.match(refusal(pair, dryRun), /^d: its directory belongs to another quota project/);
});

test("ext4 that ignores case: a rename of the case alone deletes nothing", options, (context) => {
  const pair = pairOn(context, "ext4 that ignores case");
  if (pair === undefined) return;
  if (!runs("chattr", "+F", pair.to)) {
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

describe("ext4: an entry that cannot be deleted any more when it goes", options, () => {
  /** A push that deletes `old` and replaces `site`, after its plan; and what its commit says. */
  const late = (context: TestContext, make: (pair: StagingPair) => (() => void) | undefined) => {
    const pair = pairOn(context, "ext4");
    if (pair === undefined) return undefined;
    write(pair.to, HERE);
    write(pair.from, { keep: "kk" });
    fs.symlinkSync("elsewhere", path.join(pair.from, "site"));
    pair.scanRules = { deletes: "also", isForced: true };
    const stage = pair.stage();
    stage.prepare();
    const undo = make(pair);
    if (undo === undefined) {
      context.skip("this host cannot make it so");
      return undefined;
    }
    try {
      const text = textOf(carryOut(stage));
      finish(stage.clean());
      assert.equal(fs.existsSync(path.join(pair.to, ".makuosan")), false, "nothing is left over");
      return { pair, text, second: refusal(pair, true) };
    } finally {
      undo();
    }
  };

  test("is marked as immutable", (context) => {
    const result = late(context, (pair) => {
      const marked = path.join(pair.to, "old/in/b");
      return runs("chattr", "+i", marked) ? () => runs("chattr", "-i", marked) : undefined;
    });
    if (result === undefined) return;
    assert.match(result.text, /^all is new but old\/in\/b: it is marked as immutable/);
    assert.match(result.second, /^old\/in\/b: it is marked as immutable/, "a dry run foresees it");
    assert.equal(contents(result.pair.to)["old/a"], "a", "its directory is whole");
    result.pair.push();
    assert.deepEqual(contents(result.pair.to), { keep: "kk", site: "link to elsewhere" });
  });

  test("is mounted on", (context) => {
    const result = late(context, (pair) => {
      const [source, target] = [path.join(pair.to, "keep"), path.join(pair.to, "site/up")];
      return runs("mount", "--bind", source, target) ? () => runs("umount", target) : undefined;
    });
    if (result === undefined) return;
    assert.match(result.text, /^all is new but site\/up: something is mounted on it/);
    assert.match(result.second, /^site\/up: something is mounted on it/, "a dry run foresees it");
    assert.equal(contents(result.pair.to)["keep"], "kk");
    result.pair.push();
    assert.deepEqual(contents(result.pair.to), { keep: "kk", site: "link to elsewhere" });
  });

  for (const [name, kept, expected] of [
    ["old/in/b", "old/in/b", /^all is new but old\/in\/b: the operation is not permitted/],
    [
      "site/up",
      "site.kept-1/up",
      /^all is new but site\/up: it could not be deleted, so it is kept as site\.kept-1\/up: the operation/,
    ],
  ] as const)
    test(`is what the kernel swaps to, which nothing tells before: ${name}`, (context) => {
      const result = late(context, (pair) => {
        const file = path.join(pair.to, name);
        fs.chmodSync(file, 0o600);
        const isSwap =
          runs("fallocate", "-l", "1M", file) && runs("mkswap", "-q", file) && runs("swapon", file);
        return isSwap ? () => runs("swapoff", path.join(pair.to, kept)) : undefined;
      });
      if (result === undefined) return;
      assert.match(result.text, expected);
      assert.equal(fs.statSync(path.join(result.pair.to, kept)).size, 2 ** 20);
      result.pair.push();
      assert.deepEqual(contents(result.pair.to), { keep: "kk", site: "link to elsewhere" });
    });
});
