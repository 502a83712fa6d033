import assert from "node:assert/strict";
import { test } from "node:test";
import { EntryType } from "../../../src/wire/entry.ts";
import { directory, entry, Member } from "./member.ts";

test("the lost+found of a mounted file system stays, also by name and for root; others of that name go", () => {
  const member = new Member().put({ "m/": "", "n/": "" });
  member.in("", (root, disk) => disk.mount(root, "m"));
  const make = (path: string, name: string, mode: number, user: number) =>
    member.in(path, (parent, disk) => {
      disk.makeDirectory(parent, name, mode);
      disk.setOwner(parent, name, user, user);
    });
  make("m", "lost+found", 0o700, 0);
  make("n", "lost+found", 0o700, 0);
  make("", "lost+found", 0o700, 0);
  const push = member.push("t-1", { dryRun: true });
  push.plan({ terms: {} });
  push.entries("m", [entry(EntryType.gone, "lost+found")]);
  push.entries("m", [], { isComplete: true });
  push.entries("n", [], { isComplete: true });
  // The base directory is a root as well: its inode has the number of those of ext4.
  push.entries("", [directory("m"), directory("n")], { isComplete: true });
  assert.deepEqual(push.findings, ["n/lost+found"]);
  for (const [mode, user] of [
    [0o755, 0],
    [0o700, 1000],
  ] as const) {
    member.in("m", (parent, disk) => disk.removeDirectory(parent, "lost+found"));
    make("m", "lost+found", mode, user);
    const again = member.push("t-2", { dryRun: true });
    again.plan({ terms: {} });
    // It would be deleted, and on another file system nothing is.
    assert.throws(() => again.entries("m", [], { isComplete: true }), /^StageError: m\/lost\+found: /);
  }
});
