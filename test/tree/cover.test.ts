import assert from "node:assert/strict";
import { test } from "node:test";
import { Cover } from "../../src/tree/scan/cover.ts";
import { EntryType } from "../../src/wire/entry.ts";

/** Which changes of an earlier transfer would undo what a later one has said of the sender's tree. */

function conflict(cover: Cover, path: string, isPlaced = true): boolean {
  return (
    cover.conflictWith([
      { path: "elsewhere", isPlaced: true },
      { path, isPlaced },
    ]) === path
  );
}

test("entries that were sent, and directories above them, are not to be changed; others are", () => {
  const cover = new Cover();
  cover.noteEntry("", "a", EntryType.passage);
  cover.noteEntry("a", "b", EntryType.directory);
  cover.noteEntry("a/b", "file", EntryType.file);
  cover.noteEntry("", "gone", EntryType.gone);
  cover.noteEntry("", "kept", EntryType.kept);
  for (const path of ["a", "a/b", "a/b/file", "gone"])
    for (const isPlaced of [true, false]) assert.equal(conflict(cover, path, isPlaced), true, path);
  for (const path of ["kept", "a/new", "a/b/new", "b"])
    for (const isPlaced of [true, false]) assert.equal(conflict(cover, path, isPlaced), false, path);
});

test("nothing is to come into a directory that is complete, except for what was kept there; something may go", () => {
  const cover = new Cover();
  cover.noteEntry("d", "kept", EntryType.kept);
  cover.noteComplete("d");
  assert.deepEqual(
    ["d/new", "d/kept", "d/kept/new", "new"].map((path) => conflict(cover, path)),
    [true, false, false, false],
  );
  assert.equal(conflict(cover, "d/new", false), false);
});
