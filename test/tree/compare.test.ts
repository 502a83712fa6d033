import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { Stage } from "../../src/tree/apply/stage.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../src/wire/datagram.ts";
import { differenceNames } from "../../src/wire/differences.ts";
import { EntryType, NO_EXTRAS } from "../../src/wire/entry.ts";
import { ManifestWriter } from "../../src/wire/manifest.ts";
import { contents, finish, StagingPair } from "../support/staging.ts";

/** The differences of entries, and that only necessary data are sent. */

let pair: StagingPair;
const at = (base: string, name: string) => path.join(base, name);

beforeEach(() => {
  pair = new StagingPair();
  for (const name of ["a", "b", "c"]) fs.writeFileSync(at(pair.from, name), `content of ${name}`);
  fs.mkdirSync(at(pair.from, "d"));
  fs.symlinkSync("a", at(pair.from, "link"));
  pair.push();
  pair.sentSegments = 0;
  pair.scanRules = { comparesContents: true, isCheck: true };
});

afterEach(() => pair.destroy());

/** The report of a check, by the names of the entries in the order of the manifest. */
function check(): Record<string, string> {
  const names = fs.readdirSync(pair.from).sort();
  pair.differences = [];
  finish(pair.stage([""], true).clean());
  const told = names.map((name, index) => [name, differenceNames(pair.differences[index]!).join()] as const);
  return Object.fromEntries<string>(told.filter(([, difference]) => difference !== ""));
}

/** Changes a file without changing its visible time. */
function behindItsTime(file: string, work: () => void): void {
  const { atimeMs, mtimeMs } = fs.statSync(file);
  work();
  fs.utimesSync(file, atimeMs / 1000, mtimeMs / 1000);
}

test("the same tree does not differ", () => {
  assert.deepEqual(check(), {});
});

test("contents that differ behind the same size and time are found, and sent", () => {
  for (const base of [pair.from, pair.to]) fs.utimesSync(at(base, "b"), 1_000_000, 1_000_000);
  behindItsTime(at(pair.to, "b"), () => fs.writeFileSync(at(pair.to, "b"), "CONTENT of b"));
  assert.deepEqual(check(), { b: "contents" });
  pair.scanRules = {};
  pair.push();
  assert.equal(fs.readFileSync(at(pair.to, "b"), "utf8"), "CONTENT of b", "a plain push does not see it");
  pair.scanRules = { comparesContents: true };
  pair.push();
  assert.deepEqual(contents(pair.to), contents(pair.from));
});

test("each kind of difference has its name", () => {
  fs.rmSync(at(pair.to, "a"));
  fs.chmodSync(at(pair.to, "b"), 0o600);
  fs.utimesSync(at(pair.to, "c"), 5, 5);
  fs.rmdirSync(at(pair.to, "d"));
  fs.writeFileSync(at(pair.to, "d"), "a file");
  fs.rmSync(at(pair.to, "link"));
  fs.symlinkSync("b", at(pair.to, "link"));
  const { link, ...others } = check();
  assert.deepEqual(others, { a: "missing", b: "mode", c: "time", d: "type" });
  assert.match(link ?? "", /contents/);
});

test("owners are compared where they are kept", (context) => {
  if (process.getuid?.() !== 0) {
    context.skip("owners can be set by root only");
    return;
  }
  fs.chownSync(at(pair.to, "a"), 12, 34);
  assert.deepEqual(check(), { a: "owner" });
});

test("a file that differs in its attributes alone is not sent again, and keeps its contents", () => {
  pair.scanRules = {};
  fs.chmodSync(at(pair.from, "a"), 0o640);
  const inode = fs.statSync(at(pair.to, "a")).ino;
  pair.differences = [];
  pair.push();
  assert.deepEqual(contents(pair.to), contents(pair.from));
  const stats = fs.statSync(at(pair.to, "a"));
  assert.equal(stats.mode & 0o777, 0o640);
  assert.notEqual(stats.ino, inode, "whoever has the old file open still sees the old mode");
  assert.deepEqual(
    pair.differences.filter((one) => one !== 0).map((one) => differenceNames(one)),
    [["mode"]],
  );
  assert.equal(pair.sentSegments, 0);
});

test("where contents are compared, a time that differs does not send a file again", () => {
  fs.writeFileSync(at(pair.from, "large"), Buffer.alloc(9_000_000, "large"));
  pair.push();
  pair.sentSegments = 0;
  fs.utimesSync(at(pair.from, "large"), 77, 77);
  assert.deepEqual(check(), { large: "time" });
  pair.push();
  assert.equal(fs.statSync(at(pair.to, "large")).mtimeMs, 77_000);
  assert.deepEqual(contents(pair.to), contents(pair.from));
  assert.equal(pair.sentSegments, 0);
});

test("what is superfluous is only told where deletes were asked for", () => {
  fs.writeFileSync(at(pair.to, "old"), "");
  assert.deepEqual(pair.stage([""], true).findingsFrom(0, 10), []);
  pair.scanRules = { comparesContents: true, isCheck: true, deletes: "also" };
  const paths = pair.stage([""], true).findingsFrom(0, 10);
  assert.deepEqual(
    paths.map((one) => one.path),
    ["old"],
  );
});

test("a file that is replaced while it is compared is not taken for what it was", () => {
  const size = 5_000_000;
  for (const base of [pair.from, pair.to]) fs.writeFileSync(at(base, "large"), Buffer.alloc(size, "x"));
  pair.push();
  const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 0);
  const stats = fs.statSync(at(pair.from, "large"), { bigint: true });
  const digest = crypto.createHash("sha256").update(Buffer.alloc(size, "x")).digest();
  const owner = { id: Number(stats.uid), name: "" };
  const group = { id: Number(stats.gid), name: "" };
  const metadata = { mode: Number(stats.mode) & 0o7777, mtimeNs: stats.mtimeNs, user: owner, group };
  const extras = { ...NO_EXTRAS, digest };
  const entry = { type: EntryType.file, name: "large", metadata, size, target: "", extras };
  writer.add({ path: "", metadata: undefined }, entry);
  const compared = () =>
    new Stage(Directories.at(linuxDisk, pair.to), pair.rules, "t-x", true).plan(writer.finish());
  assert.equal(finish(compared()).wants.count(), 0);
  const steps = compared();
  steps.next();
  fs.writeFileSync(at(pair.to, "other"), Buffer.alloc(size, "y"));
  fs.renameSync(at(pair.to, "other"), at(pair.to, "large"));
  assert.equal(finish(steps).wants.count(), 1);
});
