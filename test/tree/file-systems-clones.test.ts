import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { describe, test, type TestContext } from "node:test";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { withFileSystem } from "../support/file-systems.ts";
import { StagingPair } from "../support/staging.ts";

/** Large files whose contents keep their places, where files can share contents and where they cannot; as root, who can mount. */

const SIZE = 12 * 1024 * 1024;
const OLD = crypto
  .createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16))
  .update(Buffer.alloc(SIZE + 5));

/** Bytes of a file system that are used. */
function usedBytes(root: string): number {
  const tree = Directories.at(linuxDisk, root);
  linuxDisk.syncFileSystem(tree.handle(""));
  tree.close();
  const { blocks, bfree, bsize } = fs.statfsSync(root);
  return (blocks - bfree) * bsize;
}

/** The room that a push takes while the old version of the file stays. */
function pushedBytes(root: string, after: Buffer): number {
  const pair = new StagingPair(undefined, path.join(root, "to"));
  try {
    const own = path.join(pair.to, "image");
    fs.writeFileSync(own, OLD);
    fs.utimesSync(own, 1000, 1000);
    fs.linkSync(own, path.join(root, "kept"));
    fs.writeFileSync(path.join(pair.from, "image"), after);
    const before = usedBytes(root);
    pair.push();
    assert.ok(fs.readFileSync(own).equals(after), "the new version is there");
    assert.ok(fs.readFileSync(path.join(root, "kept")).equals(OLD), "the old one is as it was");
    return usedBytes(root) - before;
  } finally {
    pair.destroy();
    fs.rmSync(path.join(root, "kept"));
  }
}

function changed(end = OLD.length): Buffer {
  const bytes = Buffer.from(OLD.subarray(0, end));
  for (const place of [3_000_000, 6_000_000, 9_000_000]) bytes.write("changed", place);
  return bytes;
}

const AFTER: Readonly<Record<string, Buffer>> = {
  "changes in place": changed(),
  "changes in place, and an end that is cut off": changed(SIZE - 1_000_001),
  "changes in place, and something that is appended": Buffer.concat([
    changed(),
    Buffer.alloc(700_001, "more"),
  ]),
};

function check(context: TestContext, name: "btrfs" | "xfs" | "ext4" | "tmpfs", isShared: boolean): void {
  const skipped = withFileSystem(name, (root) => {
    for (const [what, after] of Object.entries(AFTER)) {
      const bytes = pushedBytes(root, after);
      assert.equal(bytes < SIZE / 3, isShared, `${what}: ${bytes} bytes`);
    }
    return undefined;
  });
  if (skipped !== undefined) context.skip(skipped.skip);
}

describe("a large file with changes in place", () => {
  for (const name of ["btrfs", "xfs"] as const)
    test(`takes room for them alone on ${name}`, (context) => check(context, name, true));
  for (const name of ["ext4", "tmpfs"] as const)
    test(`is written anew on ${name}`, (context) => check(context, name, false));
});
