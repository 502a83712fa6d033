import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { finish } from "../../src/base/steps.ts";
import { readAttribute, removeAttribute, setAttribute } from "../../src/sys/xattrs.ts";
import { contents, StagingPair } from "../support/staging.ts";

/** Special entries: FIFOs, devices, sockets, hard links, holes, mode bits, extended attributes. */

let pair: StagingPair;
const from = (name: string) => path.join(pair.from, name);
const to = (name: string) => path.join(pair.to, name);
const run = (...command: string[]) => {
  const { status, stderr } = spawnSync(command[0]!, command.slice(1), { encoding: "utf8" });
  assert.equal(status, 0, stderr);
};

beforeEach(() => (pair = new StagingPair()));
afterEach(() => pair.destroy());

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? {} : { skip: "only root can do that" };

test("a FIFO comes over with its mode and time, and is the same afterwards", () => {
  run("mkfifo", "-m", "0620", from("pipe"));
  fs.utimesSync(from("pipe"), 99, 99);
  pair.push();
  const stats = fs.statSync(to("pipe"));
  assert.ok(stats.isFIFO());
  assert.deepEqual([stats.mode & 0o777, stats.mtimeMs], [0o620, 99_000]);
  pair.wanted = 0;
  pair.push();
  assert.equal(pair.wanted, 0);
});

test("a file of a time that does not fit onto the wire is named and left out", () => {
  const times: Record<string, string> = {
    early: "1600-01-01 UTC",
    first: "1900-01-01 UTC",
    late: "2400-01-01 UTC",
  };
  for (const [name, time] of Object.entries(times)) run("touch", "-d", time, from(name));
  // A file system may support fewer years than the wire format.
  const isKept = (name: string) => fs.statSync(from(name)).mtimeMs === Date.parse(times[name] ?? "");
  const tooFar = ["early", "late"].filter(isKept);
  pair.push();
  const named = pair.notices.map((notice) => [notice.kind, notice.path, notice.reason.code]);
  const reason = "time-out-of-range";
  assert.deepEqual(
    named.sort(),
    tooFar.map((name) => ["unreadable", name, reason]),
  );
  for (const name of ["early", "late"]) assert.equal(fs.existsSync(to(name)), !tooFar.includes(name), name);
  assert.equal(fs.statSync(to("first")).mtimeMs, fs.statSync(from("first")).mtimeMs);
});

test("a socket is named and left out", async () => {
  const server = net.createServer().listen(from("socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  pair.push();
  server.close();
  assert.deepEqual(contents(pair.to), {});
  assert.equal(pair.notices[0]?.reason.code, "socket");
});

test("device nodes come over with their numbers", asRoot, (context) => {
  const made = spawnSync("mknod", ["-m", "0600", from("null"), "c", "1", "3"]);
  if (made.status !== 0) {
    context.skip("device nodes cannot be made here");
    return;
  }
  run("mknod", from("disk"), "b", "259", "300");
  pair.push();
  for (const name of ["null", "disk"]) {
    const [here, there] = [fs.statSync(from(name)), fs.statSync(to(name))];
    assert.deepEqual([there.mode, there.rdev], [here.mode, here.rdev], name);
  }
  pair.wanted = 0;
  pair.push();
  assert.equal(pair.wanted, 0);
  fs.rmSync(to("null"));
  run("mknod", to("null"), "c", "1", "5");
  pair.push();
  assert.equal(
    fs.statSync(to("null")).rdev,
    fs.statSync(from("null")).rdev,
    "another device is no such device",
  );
});

test("where devices cannot be made they are named and left out, and the rest comes", asRoot, (context) => {
  if (spawnSync("mknod", [from("null"), "c", "1", "3"]).status !== 0) {
    context.skip("device nodes cannot be made here");
    return;
  }
  fs.writeFileSync(from("file"), "content");
  Object.assign(pair.rules, { keepOwner: false });
  const stage = pair.stage();
  stage.prepare();
  stage.commit();
  const [finding] = stage.findingsFrom(0, 10);
  finish(stage.clean());
  assert.deepEqual(contents(pair.to), { file: "content" });
  assert.deepEqual([finding?.path, finding?.text], ["null", "this member cannot make it, so it is left out"]);
});

const inode = (name: string) => fs.statSync(to(name)).ino;

test("names of one file stay names of one file", () => {
  fs.mkdirSync(from("dir"));
  fs.writeFileSync(from("a"), "content");
  for (const name of ["b", "dir/c"]) fs.linkSync(from("a"), from(name));
  pair.push();
  assert.deepEqual(contents(pair.to), contents(pair.from));
  assert.deepEqual(["b", "dir/c"].map(inode), [inode("a"), inode("a")]);
  pair.wanted = 0;
  pair.push();
  assert.equal(pair.wanted, 0);
});

test("a link that has become a file of its own is made a link again", () => {
  fs.writeFileSync(from("a"), "content");
  fs.linkSync(from("a"), from("b"));
  pair.push();
  fs.copyFileSync(to("a"), to("x"));
  const { atime, mtime } = fs.statSync(to("a"));
  fs.utimesSync(to("x"), atime, mtime);
  fs.renameSync(to("x"), to("b"));
  assert.notEqual(inode("b"), inode("a"));
  pair.push();
  assert.equal(inode("b"), inode("a"));
});

test("when the file changes, all of its names change", () => {
  fs.writeFileSync(from("a"), "content");
  fs.linkSync(from("a"), from("z"));
  pair.push();
  fs.writeFileSync(from("a"), "other content");
  pair.push();
  assert.deepEqual(contents(pair.to), { a: "other content", z: "other content" });
  assert.equal(inode("z"), inode("a"));
});

test("holes stay holes, at the beginning, in the middle and at the end", () => {
  const descriptor = fs.openSync(from("sparse"), "w");
  fs.writeSync(descriptor, Buffer.alloc(4096, "x"), 0, 4096, 40_000_000);
  fs.writeSync(descriptor, Buffer.alloc(100_000, "y"), 0, 100_000, 80_000_000);
  fs.ftruncateSync(descriptor, 200_000_000);
  fs.closeSync(descriptor);
  fs.truncateSync(from("sparse"), 200_000_000);
  fs.closeSync(fs.openSync(from("nothing-but-a-hole"), "w"));
  fs.truncateSync(from("nothing-but-a-hole"), 50_000_000);
  pair.push();
  for (const name of ["sparse", "nothing-but-a-hole"]) {
    const [here, there] = [fs.statSync(from(name)), fs.statSync(to(name))];
    assert.equal(there.size, here.size);
    assert.ok(there.blocks <= here.blocks + 64, `${there.blocks} blocks of ${here.blocks}`);
    run("cmp", from(name), to(name));
  }
  assert.ok(pair.sentSegments < 20, `${pair.sentSegments} segments`);
});

test("holes survive a copy that only changes the mode", () => {
  fs.writeFileSync(from("sparse"), "begin");
  fs.truncateSync(from("sparse"), 100_000_000);
  pair.push();
  fs.chmodSync(from("sparse"), 0o600);
  pair.push();
  assert.equal(fs.statSync(to("sparse")).mode & 0o777, 0o600);
  assert.ok(fs.statSync(to("sparse")).blocks < 1000);
  run("cmp", from("sparse"), to("sparse"));
});

test("set-user-id and sticky bits stay where owners do", asRoot, () => {
  fs.writeFileSync(from("program"), "#!");
  fs.chownSync(from("program"), 12, 34);
  fs.chmodSync(from("program"), 0o6755);
  fs.mkdirSync(from("shared"));
  fs.chmodSync(from("shared"), 0o1777);
  pair.push();
  assert.equal(fs.statSync(to("program")).mode & 0o7777, 0o6755);
  assert.equal(fs.statSync(to("shared")).mode & 0o7777, 0o1777);
});

/** Whether the file system of the test's directory has extended attributes. */
function canHaveAttributes(): boolean {
  fs.writeFileSync(from("probe"), "");
  try {
    setAttribute(Buffer.from(from("probe")), "user.probe", Buffer.from("x"));
    return true;
  } catch {
    return false;
  } finally {
    fs.rmSync(from("probe"));
  }
}

test("extended attributes come over, change and go, of files and of directories", (context) => {
  if (!canHaveAttributes()) {
    context.skip("the file system of the test has no extended attributes");
    return;
  }
  pair.scanRules = { sendsAttributes: true };
  fs.mkdirSync(from("dir"));
  fs.writeFileSync(from("file"), "content");
  const set = (name: string, attribute: string, value: string) =>
    setAttribute(Buffer.from(from(name)), attribute, Buffer.from(value));
  const read = (name: string, attribute: string) =>
    Buffer.from(readAttribute(Buffer.from(to(name)), attribute) ?? "none").toString();
  for (const name of ["file", "dir"]) {
    set(name, "user.note", "one");
    set(name, "user.other", "two");
  }
  pair.push();
  for (const name of ["file", "dir"]) assert.equal(read(name, "user.note"), "one");
  pair.wanted = 0;
  pair.push();
  assert.equal(pair.wanted, 0);
  pair.sentSegments = 0;
  for (const name of ["file", "dir"]) {
    set(name, "user.note", "changed");
    removeAttribute(Buffer.from(from(name)), "user.other");
  }
  pair.push();
  for (const name of ["file", "dir"]) {
    assert.equal(read(name, "user.note"), "changed");
    assert.equal(read(name, "user.other"), "none");
  }
  assert.equal(pair.sentSegments, 0, "the contents are there already");
});
