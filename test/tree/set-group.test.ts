import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";

const skip = process.getuid?.() === 0 ? false : "only root can give files to other groups";

const OWNER = 12;
const OTHER = 13;
const GROUP = 14;

test("a group is set only where the entry has the owner at that moment", { skip }, (context) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-group-"));
  const root = linuxDisk.openRoot(directory);
  context.after(() => {
    linuxDisk.closeDirectory(root);
    fs.rmSync(directory, { recursive: true });
  });
  const make: Record<string, (file: string) => void> = {
    file: (file) => fs.writeFileSync(file, "1"),
    directory: (file) => fs.mkdirSync(file),
    link: (file) => fs.symlinkSync("target", file),
  };
  fs.writeFileSync(path.join(directory, "target"), "1");
  for (const [name, makeEntry] of Object.entries(make)) {
    const file = path.join(directory, name);
    makeEntry(file);
    fs.lchownSync(file, OWNER, 0);
    assert.throws(() => linuxDisk.setGroup(root, name, GROUP, OTHER), { code: "EPERM" });
    assert.equal(fs.lstatSync(file).gid, 0);
    linuxDisk.setGroup(root, name, GROUP, OWNER);
    assert.deepEqual([fs.lstatSync(file).uid, fs.lstatSync(file).gid], [OWNER, GROUP], name);
    linuxDisk.setGroup(root, name, GROUP + 1, undefined);
    assert.equal(fs.lstatSync(file).gid, GROUP + 1);
  }
  assert.equal(fs.statSync(path.join(directory, "target")).gid, 0, "no link is followed");
  assert.throws(() => linuxDisk.setGroup(root, "missing", GROUP, OWNER), { code: "ENOENT" });
});
