import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { statDescriptor } from "../../src/sys/stat.ts";
import { HeldEntries } from "../../src/tree/scan/held-entry.ts";
import { type Entry, EntryType, NO_EXTRAS } from "../../src/wire/entry.ts";
import { NO_METADATA } from "../../src/wire/metadata.ts";

/** What the source keeps of the entries of a manifest block. */

function entryOf(type: EntryType, name: string, size = 0, allocated?: number): Entry {
  const extras = allocated === undefined ? undefined : { ...NO_EXTRAS, allocated };
  return { type, name, metadata: NO_METADATA, size, target: "", extras };
}

test("held entries come back as they were added", () => {
  const { file, directory, kept, hardLink } = EntryType;
  const handle = fs.openSync(import.meta.filename, "r");
  const stats = statDescriptor(handle);
  fs.closeSync(handle);
  const { size } = stats;
  const held = new HeldEntries(7);
  held.add("", entryOf(file, "top", size), stats);
  held.add("a", entryOf(kept, "name"), undefined);
  held.add("a", entryOf(file, "sparse", size, 0), stats);
  held.add("a/b", entryOf(directory, "c"), stats);
  held.add("a", entryOf(hardLink, "again"), stats);
  const all = Array.from({ length: held.length }, (_, index) => held.at(index));
  assert.deepEqual(
    all.map((entry) => [entry.number, entry.path, entry.type, entry.size, entry.isSparse]),
    [
      [7, "top", file, size, false],
      [8, "a/name", kept, 0, false],
      [9, "a/sparse", file, size, true],
      [10, "a/b/c", directory, 0, false],
      [11, "a/again", hardLink, 0, false],
    ],
  );
  assert.deepEqual(
    all.map((entry) => entry.stats?.inode),
    [stats.inode, undefined, stats.inode, stats.inode, stats.inode],
  );
});
