import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DirectoryHandle, Disk } from "../../src/tree/disk/disk.ts";
import type { CrashModel } from "./journal.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { putFile, statesOf, treeWords, withDirectory } from "./small-tree.ts";

/** Tests each rule of what survives a crash, on a disk so small that all states can be listed. */

/** A disk with some files, all durable, and its root. */
function startDisk(crashModel: CrashModel, files: Record<string, string> = {}) {
  const disk = new MemoryDisk({ crashModel });
  const root = disk.openRoot("/");
  for (const [name, text] of Object.entries(files)) putFile(disk, root, name, text);
  disk.settle();
  return { disk, root };
}

/** The attributes of the entries: mode, owner, and those of a test. */
function attributeWords(disk: Disk, root: DirectoryHandle): string {
  const words = disk.list(root).map((name) => {
    const stats = disk.stat(root, name);
    const names = disk.listAttributes(root, name).sort().join(",");
    return `${name}:${((stats?.mode ?? 0) & 0o7777).toString(8)},${stats?.uid}${names === "" ? "" : `,${names}`}`;
  });
  return words.sort().join(" ");
}

describe("on an ordered file system", () => {
  test("a prefix of the changes of names survives", () => {
    const { disk, root } = startDisk("ordered");
    for (const name of ["c", "a", "b"]) putFile(disk, root, name, "");
    assert.deepEqual(statesOf(disk), ["", "a: b: c:", "a: c:", "c:"]);
  });

  test("attributes are in one sequence with names", () => {
    const { disk, root } = startDisk("ordered", { a: "" });
    disk.setMode(root, "a", 0o600);
    disk.setOwner(root, "a", 7, 7);
    disk.rename(root, "a", root, "b");
    disk.setAttribute(root, "b", "user.x", new Uint8Array(1));
    const expected = ["a:600,0", "a:600,7", "a:644,0", "b:600,7", "b:600,7,user.x"];
    assert.deepEqual(statesOf(disk, attributeWords), expected);
  });

  for (const call of ["syncFile", "syncDirectory", "syncFileSystem"] as const) {
    test(`${call} makes all changes of names durable that were before it`, () => {
      const { disk, root } = startDisk("ordered", { other: "" });
      disk.makeDirectory(root, "d", 0o755);
      withDirectory(disk, root, "d", (_, directory) => putFile(disk, directory, "a", ""));
      if (call === "syncFile") disk.syncFile(disk.openFile(root, "other", "write"));
      else disk[call](root);
      putFile(disk, root, "z", "");
      assert.deepEqual(statesOf(disk), ["d/(a:) other:", "d/(a:) other: z:"]);
    });
  }

  test("syncContents makes no name durable, and no attribute", () => {
    const { disk, root } = startDisk("ordered");
    const file = disk.makeFile(root, "a", 0o644);
    disk.write(file, Buffer.from("x"), 0);
    disk.setFileMode(file, 0o600);
    disk.syncContents(file);
    assert.deepEqual(statesOf(disk), ["", "a:x"]);
    assert.deepEqual(statesOf(disk, attributeWords), ["", "a:600,0", "a:644,0"]);
  });

  test("syncFile of one file says nothing of the contents of another", () => {
    const { disk, root } = startDisk("ordered", { other: "" });
    putFile(disk, root, "a", "xy");
    disk.syncFile(disk.openFile(root, "other", "write"));
    assert.deepEqual(statesOf(disk), ["a: other:", "a:00 other:", "a:xy other:"]);
  });
});

describe("on an unordered file system", () => {
  test("any of the changes of different names survive", () => {
    const { disk, root } = startDisk("unordered");
    for (const name of ["a", "b", "c"]) putFile(disk, root, name, "");
    const expected = ["", "a:", "a: b:", "a: b: c:", "a: c:", "b:", "b: c:", "c:"];
    assert.deepEqual(statesOf(disk), expected);
  });

  test("changes of one name survive in their order", () => {
    const { disk, root } = startDisk("unordered");
    putFile(disk, root, "a", "");
    disk.rename(root, "a", root, "b");
    disk.makeDirectory(root, "a", 0o755);
    assert.deepEqual(statesOf(disk), ["", "a/() b:", "a:", "b:"]);
  });

  test("changes of one kind of attribute survive in their order, of different kinds in any", () => {
    const { disk, root } = startDisk("unordered", { a: "" });
    disk.setMode(root, "a", 0o600);
    disk.setOwner(root, "a", 7, 7);
    disk.setMode(root, "a", 0o400);
    const expected = ["a:400,0", "a:400,7", "a:600,0", "a:600,7", "a:644,0", "a:644,7"];
    assert.deepEqual(statesOf(disk, attributeWords), expected);
  });

  test("extended attributes of one file survive in their order", () => {
    const { disk, root } = startDisk("unordered", { a: "", b: "" });
    disk.setAttribute(root, "a", "user.x", new Uint8Array(1));
    disk.setAttribute(root, "b", "user.z", new Uint8Array(1));
    disk.setAttribute(root, "a", "user.y", new Uint8Array(1));
    const ofA = ["a:644,0", "a:644,0,user.x", "a:644,0,user.x,user.y"];
    const expected = ofA.flatMap((a) => [`${a} b:644,0`, `${a} b:644,0,user.z`]);
    assert.deepEqual(statesOf(disk, attributeWords), expected.sort());
  });

  test("a name survives only with the directory that holds it, and with the inode that it names", () => {
    const { disk, root } = startDisk("unordered");
    disk.makeDirectory(root, "d", 0o755);
    withDirectory(disk, root, "d", (_, directory) => {
      putFile(disk, root, "a", "");
      disk.link(root, "a", directory, "x");
    });
    assert.deepEqual(statesOf(disk), ["", "a:", "a: d/()", "a: d/(x:)", "d/()"]);
  });

  test("a directory is not removed before its entries have left it", () => {
    const { disk, root } = startDisk("unordered");
    disk.makeDirectory(root, "d", 0o755);
    withDirectory(disk, root, "d", (_, directory) => putFile(disk, directory, "a", ""));
    disk.settle();
    withDirectory(disk, root, "d", (_, directory) => disk.rename(directory, "a", root, "a"));
    disk.removeDirectory(root, "d");
    assert.deepEqual(statesOf(disk), ["a:", "a: d/()", "d/(a:)"]);
  });

  test("directories that change places are never lost", () => {
    const { disk, root } = startDisk("unordered");
    disk.makeDirectory(root, "x", 0o755);
    withDirectory(disk, root, "x", (_, x) => disk.makeDirectory(x, "y", 0o755));
    disk.settle();
    withDirectory(disk, root, "x", (_, x) => disk.rename(x, "y", root, "y"));
    withDirectory(disk, root, "y", (_, y) => disk.rename(root, "x", y, "x"));
    assert.deepEqual(statesOf(disk), ["x/() y/()", "x/(y/())", "y/(x/())"]);
  });

  test("syncDirectory makes the names in one directory durable, with the directory, and no others", () => {
    const { disk, root } = startDisk("unordered");
    disk.makeDirectory(root, "d", 0o755);
    putFile(disk, root, "other", "");
    withDirectory(disk, root, "d", (_, directory) => {
      putFile(disk, directory, "a", "");
      disk.syncDirectory(directory);
    });
    assert.deepEqual(statesOf(disk), ["d/(a:)", "d/(a:) other:"]);
  });

  test("syncDirectory takes in all that its names need", () => {
    const { disk, root } = startDisk("unordered", {});
    disk.makeDirectory(root, "d", 0o755);
    disk.settle();
    putFile(disk, root, "a", "");
    withDirectory(disk, root, "d", (_, directory) => {
      disk.rename(root, "a", directory, "a");
      disk.syncDirectory(directory);
    });
    assert.deepEqual(statesOf(disk), ["d/(a:)"]);
  });

  test("syncFile makes attributes and contents durable, and no name", () => {
    const { disk, root } = startDisk("unordered");
    const file = disk.makeFile(root, "a", 0o644);
    disk.write(file, Buffer.from("x"), 0);
    disk.setFileMode(file, 0o600);
    disk.syncFile(file);
    assert.deepEqual(statesOf(disk), ["", "a:x"]);
    assert.deepEqual(statesOf(disk, attributeWords), ["", "a:600,0"]);
  });

  test("a file that is durable may get a further name without the first", () => {
    const { disk, root } = startDisk("unordered");
    const file = disk.makeFile(root, "a", 0o644);
    disk.syncFile(file);
    disk.link(root, "a", root, "b");
    assert.deepEqual(statesOf(disk), ["", "a:", "a: b:", "b:"]);
  });

  test("syncContents makes contents durable, and nothing else", () => {
    const { disk, root } = startDisk("unordered");
    const file = disk.makeFile(root, "a", 0o644);
    disk.write(file, Buffer.from("x"), 0);
    disk.setFileMode(file, 0o600);
    disk.syncContents(file);
    assert.deepEqual(statesOf(disk), ["", "a:x"]);
    assert.deepEqual(statesOf(disk, attributeWords), ["", "a:600,0", "a:644,0"]);
  });
});

for (const model of ["ordered", "unordered"] as const) {
  describe(`on any file system, such as an ${model} one`, () => {
    test("a name may survive without the contents of its file", () => {
      const { disk, root } = startDisk(model, { a: "old" });
      putFile(disk, root, "new", "new");
      disk.rename(root, "new", root, "a");
      const expected = ["a:", "a:000", "a:new", "a:old", "a:old new:", "a:old new:000", "a:old new:new"];
      assert.deepEqual(statesOf(disk), expected);
    });

    test("each write survives or not: the rest is zeros, or the file is short", () => {
      const { disk, root } = startDisk(model, { a: "" });
      const file = disk.openFile(root, "a", "write");
      disk.write(file, Buffer.from("x"), 0);
      disk.write(file, Buffer.from("y"), 1);
      assert.deepEqual(statesOf(disk), ["a:", "a:0", "a:00", "a:0y", "a:x", "a:x0", "a:xy"]);
    });

    test("a shorter size survives or not", () => {
      const { disk, root } = startDisk(model, { a: "long" });
      disk.truncate(disk.openFile(root, "a", "write"), 2);
      assert.deepEqual(statesOf(disk), ["a:lo", "a:long"]);
    });

    test("contents that are durable stay as they are", () => {
      const { disk, root } = startDisk(model, { a: "old" });
      const file = disk.makeFile(root, "new", 0o644);
      disk.write(file, Buffer.from("new"), 0);
      disk.syncContents(file);
      disk.rename(root, "new", root, "a");
      assert.deepEqual(statesOf(disk), ["a:new", "a:old", "a:old new:new"]);
    });

    test("an exchange, and a rename over an entry, survive as a whole or not at all", () => {
      const { disk, root } = startDisk(model, { a: "1", b: "2", c: "3" });
      assert.equal(disk.exchange(root, "a", root, "b"), true);
      disk.rename(root, "a", root, "c");
      assert.deepEqual(statesOf(disk), ["a:1 b:2 c:3", "a:2 b:1 c:3", "b:1 c:2"]);
    });

    test("a file that is gone, and durably so, does not come back", () => {
      const { disk, root } = startDisk(model, { a: "1" });
      disk.unlink(root, "a");
      assert.deepEqual(statesOf(disk), ["", "a:1"]);
      disk.syncDirectory(root);
      assert.deepEqual(statesOf(disk), [""]);
    });

    test("syncFileSystem makes all of one file system durable, and nothing of another", () => {
      const { disk, root } = startDisk(model);
      disk.makeDirectory(root, "m", 0o755);
      disk.mount(root, "m");
      const inner = disk.openDirectory(root, "m");
      putFile(disk, inner, "a", "1");
      putFile(disk, root, "b", "2");
      disk.syncFileSystem(inner);
      assert.deepEqual(statesOf(disk), ["b: m/(a:1)", "b:0 m/(a:1)", "b:2 m/(a:1)", "m/(a:1)"]);
      disk.syncFileSystem(root);
      assert.deepEqual(statesOf(disk), [treeWords(disk, root)]);
    });
  });
}
