import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { recover } from "../../src/tree/apply/recovery.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { Protection } from "../../src/tree/decide/protection.ts";
import { RefusalError, StageError } from "../../src/tree/reasons/stage-error.ts";
import { TransferRecord } from "../../src/daemon/disk/transfer-record.ts";
import { Stage } from "../../src/tree/apply/stage.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../src/wire/datagram.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { ManifestWriter } from "../../src/wire/manifest.ts";
import { NO_METADATA } from "../../src/wire/metadata.ts";
import { contents, finish, StagingPair, whileVanishing, whileCalling } from "../support/staging.ts";

/** Superfluous entries are deleted in the same switch as the other changes, and nothing else is deleted. */

let pair: StagingPair;

const write = (base: string, ...names: string[]) => {
  for (const name of names) {
    fs.mkdirSync(path.dirname(path.join(base, name)), { recursive: true });
    fs.writeFileSync(path.join(base, name), name);
  }
};

beforeEach(() => {
  pair = new StagingPair();
  write(pair.from, "a", "dir/b", "dir/deep/c");
  pair.push();
  pair.scanRules = { deletes: "also" };
});

afterEach(() => pair.destroy());

/** The list of changes that hooks would get. */
const listedChanges = () => {
  const list = fs.readFileSync(path.join(pair.to, ".makuosan", pair.leftOver()[0]!, "changes"), "latin1");
  return list
    .split("\0")
    .filter((one) => one !== "")
    .sort();
};

const names = (directory: string) => Object.keys(contents(directory)).sort();
const superfluous = (stage: ReturnType<StagingPair["stage"]>) =>
  stage.findingsFrom(0, 1000).map((finding) => finding.path);

test("files, links, directories and all in them go, and times of directories are as they should be", () => {
  write(pair.to, "old", "dir/old", "dir/deep/older/x/y", "gone/z");
  fs.symlinkSync("/etc/passwd", path.join(pair.to, "dir/link"));
  write(pair.from, "new");
  pair.push();
  assert.deepEqual(contents(pair.to), contents(pair.from));
  for (const name of ["dir", "dir/deep"]) {
    const [from, to] = [pair.from, pair.to].map((base) => fs.statSync(path.join(base, name)).mtimeMs);
    assert.equal(to, from, name);
  }
  assert.deepEqual(pair.leftOver(), []);
});

test("every path that goes is told, and nothing goes before the commit", () => {
  write(pair.to, "gone/z", "gone/y/x", "old");
  const before = contents(pair.to);
  const stage = pair.stage();
  assert.deepEqual(superfluous(stage).sort(), ["gone", "gone/y", "gone/y/x", "gone/z", "old"]);
  stage.prepare();
  assert.deepEqual(contents(pair.to), before);
  stage.commit();
  finish(stage.clean());
  assert.deepEqual(contents(pair.to), contents(pair.from));
});

test("a dry run tells the same and changes nothing", () => {
  write(pair.to, "gone/z", "old");
  const before = contents(pair.to);
  const stage = pair.stage([""], true);
  assert.deepEqual(superfluous(stage).sort(), ["gone", "gone/z", "old"]);
  finish(stage.clean());
  assert.deepEqual(contents(pair.to), before);
});

test("a directory without anything left in it is emptied", () => {
  fs.rmSync(path.join(pair.from, "dir/deep/c"));
  pair.push(["dir"]);
  assert.deepEqual(contents(pair.to), contents(pair.from));
});

test("what was not asked for stays", () => {
  write(pair.to, "beside", "dir/old");
  pair.push(["dir"]);
  assert.deepEqual(names(pair.to), ["a", "beside", "dir", "dir/b", "dir/deep", "dir/deep/c"]);
});

test("what either side excludes stays, with the directories that it is in", () => {
  pair.scanRules = { deletes: "also", excludes: ["*.log", "cache/", "/dir/anchored"] };
  pair.protection = Protection.of(["*.conf"], "/base");
  write(
    pair.to,
    "x.log",
    "gone/deep/y.log",
    "gone/z",
    "gone/sub/z",
    "cache/file",
    "dir/anchored",
    "local.conf",
  );
  write(pair.to, "etc/my.conf", "etc/other");
  write(pair.from, "cache/of-the-sender");
  pair.push();
  assert.deepEqual(
    names(pair.to).filter((name) => !name.startsWith("dir/deep")),
    [
      "a",
      "cache",
      "cache/file",
      "dir",
      "dir/anchored",
      "dir/b",
      "etc",
      "etc/my.conf",
      "gone",
      "gone/deep",
      "gone/deep/y.log",
      "local.conf",
      "x.log",
    ],
  );
});

test("what the sender has and cannot send stays", (context) => {
  write(pair.to, "theirs", "pipe", "old");
  write(pair.from, "theirs");
  if (process.getuid?.() !== 0) {
    context.skip("owners can be set by root only");
    return;
  }
  fs.chownSync(path.join(pair.from, "theirs"), 12, 12);
  pair.scanRules = { deletes: "also", ownedBy: 0 };
  pair.push();
  assert.deepEqual(names(pair.to), ["a", "dir", "dir/b", "dir/deep", "dir/deep/c", "theirs"]);
});

test("deletes alone send nothing", () => {
  write(pair.from, "a", "new");
  fs.writeFileSync(path.join(pair.from, "a"), "changed");
  fs.rmSync(path.join(pair.from, "dir/deep"), { recursive: true });
  write(pair.to, "old");
  pair.scanRules = { deletes: "only" };
  pair.push();
  assert.deepEqual(contents(pair.to), { a: "a", dir: "directory", "dir/b": "dir/b" });
});

test("more than half, and more than a hundred, is refused, and nothing has changed", () => {
  for (let index = 0; index < 101; index++) write(pair.to, `many/${index}`);
  write(pair.from, "new");
  const before = contents(pair.to);
  const stage = pair.stage();
  assert.throws(
    () => stage.prepare(),
    (error) => {
      assert.ok(error instanceof RefusalError);
      assert.match(
        error.message,
        /^102 of 107 entries would be deleted, and 100 may be .* add --force-delete/,
      );
      return true;
    },
  );
  finish(stage.clean());
  assert.deepEqual(contents(pair.to), before);
  pair.deleteLimit = { entries: 102, percent: undefined };
  pair.push();
  assert.deepEqual(contents(pair.to), contents(pair.from));
});

test("what is forced is done however much it is", () => {
  for (let index = 0; index < 101; index++) write(pair.to, `many/${index}`);
  pair.scanRules = { deletes: "also", isForced: true };
  pair.push();
  assert.deepEqual(contents(pair.to), contents(pair.from));
});

test("a newcomer keeps its limit, and does not stop the others", () => {
  for (let index = 0; index < 101; index++) write(pair.to, `many/${index}`);
  pair.scanRules = {
    ...{ deletes: "also", isForced: true },
    origin: { kind: "catch-up", digest: "00".repeat(8) },
  };
  pair.manifest = new TransferRecord({ isNewcomer: true, recordsLists: true });
  assert.throws(
    () => pair.push(),
    (error) => error instanceof StageError && !(error instanceof RefusalError),
  );
  pair.manifest = new TransferRecord({ isNewcomer: false, recordsLists: true });
  pair.push();
  assert.deepEqual(contents(pair.to), contents(pair.from));
});

test("an empty directory at the sender deletes nothing unless it is forced", () => {
  fs.rmSync(path.join(pair.from, "dir"), { recursive: true });
  fs.mkdirSync(path.join(pair.from, "dir"));
  assert.throws(
    () => pair.push(["dir"]),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /'dir' is empty here, .* --force-delete/);
      return true;
    },
  );
  pair.scanRules = { deletes: "also", isForced: true };
  pair.push(["dir"]);
  assert.deepEqual(names(pair.to), ["a", "dir"]);
});

test("a path that is gone here goes there, and one that exists is sent", () => {
  pair.scanRules = { syncs: true };
  fs.rmSync(path.join(pair.from, "dir/deep"), { recursive: true });
  write(pair.from, "dir/new");
  fs.writeFileSync(path.join(pair.from, "dir/b"), "changed");
  pair.push(["dir/deep", "dir/new", "nowhere/at/all"]);
  assert.deepEqual(contents(pair.to), {
    a: "a",
    dir: "directory",
    "dir/b": "dir/b",
    "dir/new": "dir/new",
  });
});

test("a path behind a link is not gone", () => {
  pair.scanRules = { syncs: true };
  fs.rmSync(path.join(pair.from, "dir"), { recursive: true });
  fs.symlinkSync("/tmp", path.join(pair.from, "dir"));
  pair.push(["dir/b"]);
  assert.deepEqual(
    pair.notices.map(({ kind }) => kind),
    ["unreadable"],
  );
  assert.ok(names(pair.to).includes("dir/b"));
});

test("a commit that a crash stops between its deletes is finished", () => {
  write(pair.to, "old/x", "older");
  write(pair.from, "new");
  const stage = pair.stage();
  stage.prepare();
  const area = path.join(pair.to, ".makuosan", pair.leftOver()[0]!);
  fs.renameSync(path.join(pair.to, "old"), path.join(area, "discarded0-1"));
  assert.equal(recover(Directories.at(linuxDisk, pair.to), pair.rules).length, 1);
  assert.deepEqual(contents(pair.to), contents(pair.from));
  assert.deepEqual(pair.leftOver(), []);
});

test("the hooks are told of what goes", () => {
  pair.listsChanges = true;
  write(pair.to, "gone/z");
  write(pair.from, "new");
  const stage = pair.stage();
  stage.prepare();
  assert.deepEqual(listedChanges(), ["gone", "gone/z", "new"]);
  finish(stage.clean());
});

test("what cannot be read for its digest stays", () => {
  pair.scanRules = { deletes: "also", comparesContents: true };
  fs.rmSync(path.join(pair.from, "a"));
  write(pair.from, "unreadable");
  write(pair.to, "unreadable");
  const failing = (descriptor: number) => {
    if (fs.readlinkSync(`/proc/self/fd/${descriptor}`).endsWith("from/unreadable"))
      throw Object.assign(new Error("read"), { code: "EIO" });
  };
  whileCalling("read", failing, () => pair.push());
  assert.deepEqual(
    pair.notices.map(({ path: name, reason }) => `${name}: ${reason.code}`),
    ["unreadable: EIO"],
  );
  assert.deepEqual(names(pair.to), ["dir", "dir/b", "dir/deep", "dir/deep/c", "unreadable"]);
});

test("a directory of somebody else on the way does not make what is in it forgotten", (context) => {
  if (process.getuid?.() !== 0) {
    context.skip("owners can be set by root only");
    return;
  }
  for (const base of [pair.from, pair.to]) write(base, "theirs/deep/a", "theirs/deep/b", "theirs/z");
  for (const name of ["theirs", "theirs/deep", "theirs/deep/a", "theirs/z"])
    fs.chownSync(path.join(pair.from, name), 12, 12);
  pair.scanRules = { deletes: "also", ownedBy: 0 };
  pair.push();
  assert.deepEqual(
    names(pair.to).filter((name) => name.startsWith("theirs")),
    ["theirs", "theirs/deep", "theirs/deep/a", "theirs/deep/b", "theirs/z"],
  );
});

test("a sender that deletes without terms, or with patterns that cannot be, is not followed", () => {
  const metadata = undefined;
  const header = { path: "", metadata };
  const made = (fill: (writer: ManifestWriter) => void) => {
    const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 0);
    fill(writer);
    const stage = new Stage(Directories.at(linuxDisk, pair.to), pair.rules, "t-bad", false);
    return () => finish(stage.plan(writer.finish()));
  };
  const gone = {
    type: EntryType.gone,
    name: "a",
    metadata: NO_METADATA,
    size: 0,
    target: "",
    extras: undefined,
  };
  const refused = (sentence: RegExp) => (error: unknown) =>
    error instanceof StageError && sentence.test(error.message);
  assert.throws(
    made((writer) => writer.addComplete(header)),
    refused(/without any terms/),
  );
  assert.throws(
    made((writer) => writer.add(header, gone)),
    refused(/without any terms/),
  );
  for (const pattern of ["", "a\\"]) {
    const bad = made((writer) => {
      writer.addTerms({ isForced: false, isCheck: false, deletes: true, tellsDigests: false, base: "/base" });
      writer.addExclude(pattern);
      writer.addComplete(header);
    });
    assert.throws(bad, refused(/^the sender's patterns: /));
  }
  assert.ok(fs.existsSync(path.join(pair.to, "a")));
});

test("of a transfer in which the sender takes something back, the hooks are told of all that goes", () => {
  pair.listsChanges = true;
  write(pair.to, "gone/z");
  write(pair.from, "new", "vanishing");
  const stage = whileVanishing(path.join(pair.from, "vanishing"), () => pair.stage());
  stage.prepare();
  assert.deepEqual(listedChanges(), ["gone", "gone/z", "new"]);
  finish(stage.clean());
});
