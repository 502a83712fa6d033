import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { errorCode } from "../../src/sys/system-error.ts";
import { failAt, failKind, PowerFailure, stopAt } from "./faults.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { RecordingDisk } from "./recording-disk.ts";
import { putFile, treeWords, withDirectory } from "./small-tree.ts";

/** Tests behaviour that a test cannot produce on the disk of this host, or not without privileges. */

const PAGE = 4096;

function fails(code: string, run: () => unknown): void {
  assert.throws(run, (error: unknown) => errorCode(error) === code, `this fails with ${code}`);
}

test("a handle that is closed, or of a disk before a crash, is no handle any more", () => {
  const disk = new MemoryDisk();
  const root = disk.openRoot("/");
  const file = disk.makeFile(root, "a", 0o644);
  disk.closeFile(file);
  fails("EBADF", () => disk.write(file, new Uint8Array(1), 0));
  fails("EBADF", () => disk.closeFile(file));
  const after = disk.crash(new SeededRandom(1));
  fails("EBADF", () => after.list(root));
  assert.throws(() => disk.list(root), PowerFailure);
});

test("a handle stays what it is over a rename and an unlink", () => {
  const disk = new MemoryDisk();
  const root = disk.openRoot("/");
  const file = disk.makeFile(root, "a", 0o644);
  disk.makeDirectory(root, "d", 0o755);
  const directory = disk.openDirectory(root, "d");
  disk.rename(root, "d", root, "e");
  disk.rename(root, "a", directory, "b");
  disk.write(file, Buffer.from("x"), 0);
  assert.equal(treeWords(disk, root), "e/(b:x)");
  disk.unlink(directory, "b");
  disk.removeDirectory(root, "e");
  assert.equal(disk.statFile(file).links, 0);
  assert.equal(disk.read(file, new Uint8Array(5), 0), 1);
  fails("ENOENT", () => disk.makeFile(directory, "c", 0o644));
});

test("a disk gets full, takes what there is room for, and has room again when a file is closed that is gone", () => {
  const disk = new MemoryDisk({ capacityBytes: 3 * PAGE });
  const root = disk.openRoot("/");
  const file = disk.makeFile(root, "a", 0o644);
  assert.equal(disk.write(file, new Uint8Array(5 * PAGE), 0), 3 * PAGE);
  fails("ENOSPC", () => disk.write(file, new Uint8Array(1), 3 * PAGE));
  assert.equal(disk.write(file, new Uint8Array(2 * PAGE), PAGE), 2 * PAGE);
  fails("ENOSPC", () => disk.makeDirectory(root, "d", 0o755));
  disk.unlink(root, "a");
  assert.equal(disk.fileSystemOf(root).freeBytes, 0);
  disk.closeFile(file);
  assert.equal(disk.fileSystemOf(root).freeBytes, 3 * PAGE);
  disk.makeDirectory(root, "d", 0o755);
});

test("room is counted anew after a crash", () => {
  const disk = new MemoryDisk({ capacityBytes: 10 * PAGE });
  const root = disk.openRoot("/");
  putFile(disk, root, "a", "x");
  disk.makeDirectory(root, "d", 0o755);
  disk.settle();
  const after = disk.crash(new SeededRandom(1));
  assert.equal(after.fileSystemOf(after.openRoot("/")).freeBytes, 8 * PAGE);
});

test("a disk that can only be read refuses all changes", () => {
  const disk = new MemoryDisk();
  const root = disk.openRoot("/");
  putFile(disk, root, "a", "x");
  disk.setReadOnly(true);
  fails("EROFS", () => disk.makeFile(root, "b", 0o644));
  fails("EEXIST", () => disk.makeDirectory(root, "a", 0o755));
  fails("EROFS", () => disk.rename(root, "a", root, "b"));
  fails("EROFS", () => disk.unlink(root, "a"));
  fails("EROFS", () => disk.setMode(root, "a", 0o600));
  fails("EROFS", () => disk.checkWritable(root));
  fails("EROFS", () => disk.openFile(root, "a", "write"));
  assert.equal(treeWords(disk, root), "a:x");
  disk.setReadOnly(false);
  disk.unlink(root, "a");
});

test("what is mounted below is another device that nothing moves to, and that stays where it is", () => {
  const disk = new MemoryDisk();
  const root = disk.openRoot("/");
  putFile(disk, root, "a", "");
  disk.makeDirectory(root, "m", 0o755);
  disk.makeDirectory(root, "d", 0o755);
  disk.mount(root, "m", 7 * PAGE);
  const inner = disk.openDirectory(root, "m");
  const stats = disk.stat(root, "m");
  assert.equal(stats?.hasMount, true);
  assert.notEqual(stats.device, disk.statDirectory(root).device);
  putFile(disk, inner, "x", "");
  assert.equal(disk.stat(inner, "x")?.device, stats.device);
  assert.equal(disk.fileSystemOf(inner).freeBytes, 7 * PAGE);
  fails("EXDEV", () => disk.rename(root, "a", inner, "a"));
  fails("EXDEV", () => disk.link(root, "a", inner, "a"));
  fails("EBUSY", () => disk.rename(root, "m", root, "n"));
  fails("EBUSY", () => disk.rename(root, "d", root, "m"));
  fails("EBUSY", () => disk.removeDirectory(root, "m"));
  assert.equal(disk.exchange(root, "m", root, "d"), false);
  assert.equal(treeWords(disk, root), "a: d/() m/(x:)");
});

test("a system that cannot exchange says so", () => {
  const disk = new MemoryDisk({ canExchange: false });
  const root = disk.openRoot("/");
  putFile(disk, root, "a", "1");
  putFile(disk, root, "b", "2");
  assert.equal(disk.exchange(root, "a", root, "b"), false);
  assert.equal(treeWords(disk, root), "a:1 b:2");
});

test("the root may be reached over links", () => {
  const disk = new MemoryDisk();
  const root = disk.openRoot("/");
  disk.makeDirectory(root, "srv", 0o755);
  withDirectory(disk, root, "srv", (_, directory) => putFile(disk, directory, "a", ""));
  disk.makeSymlink(root, "one", "two/../srv");
  disk.makeSymlink(root, "two", "/srv");
  disk.makeSymlink(root, "round", "round");
  assert.deepEqual(disk.list(disk.openRoot("/one")), ["a"]);
  fails("ELOOP", () => disk.openRoot("/round"));
  fails("ENOTDIR", () => disk.openRoot("/srv/a/b"));
});

test("calls fail where a test says so, by number or by kind", () => {
  const disk = new MemoryDisk();
  const root = disk.openRoot("/");
  disk.before = failAt(2, "EIO");
  putFile(disk, root, "a", "");
  fails("EIO", () => disk.makeFile(root, "b", 0o644));
  putFile(disk, root, "c", "");
  disk.before = failKind("unlink", "EIO", "a");
  fails("EIO", () => disk.unlink(root, "a"));
  disk.unlink(root, "c");
  assert.equal(treeWords(disk, root), "a:");
});

test("a machine that stops before a change takes no call any more", () => {
  const disk = new MemoryDisk();
  const root = disk.openRoot("/");
  disk.before = stopAt(2);
  putFile(disk, root, "a", "");
  assert.throws(() => disk.unlink(root, "a"), PowerFailure);
  assert.throws(() => disk.list(root), PowerFailure);
  assert.throws(() => disk.exchange(root, "a", root, "b"), PowerFailure);
});

test("the same seed gives the same crash", () => {
  const states = [1, 1, 2, 3, 4, 5].map((seed) => {
    const disk = new MemoryDisk({ crashModel: "unordered" });
    const root = disk.openRoot("/");
    for (let index = 0; index < 100; index++) putFile(disk, root, `f${index}`, "");
    const after = disk.crash(new SeededRandom(seed));
    return treeWords(after, after.openRoot("/"));
  });
  assert.equal(states[0], states[1]);
  assert.ok(new Set(states).size > 2);
});

test("a recording tells changes in their order, by the paths that entries have at that moment", () => {
  const disk = new RecordingDisk(new MemoryDisk());
  const root = disk.openRoot("/");
  disk.makeDirectory(root, "d", 0o755);
  const directory = disk.openDirectory(root, "d");
  const file = disk.makeFile(directory, "a", 0o600);
  disk.rename(root, "d", root, "e");
  disk.write(file, new Uint8Array(3), 1);
  disk.syncContents(file);
  disk.syncDirectory(directory);
  fails("ENOENT", () => disk.unlink(root, "x"));
  assert.equal(disk.exchange(root, "x", directory, "a"), false);
  disk.syncDirectory(root);
  assert.deepEqual(disk.lines, [
    "make-directory d 755",
    "make-file d/a 600",
    "rename d -> e",
    "write e/a 3 at 1",
    "sync-contents e/a",
    "sync-directory e",
    "unlink x: ENOENT",
    "exchange x <-> e/a: no",
    "sync-directory .",
  ]);
});
