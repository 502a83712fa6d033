import assert from "node:assert/strict";
import { test } from "node:test";
import { EntryType } from "../../src/wire/entry.ts";
import { decodeManifest, ManifestWriter } from "../../src/wire/manifest.ts";
import type { Metadata, Owner } from "../../src/wire/metadata.ts";

/** Most entries of a tree have the same owner: it is one object then, however many they are. */

const ROOT = { id: 0, name: "root" };
const ADM = { id: 4, name: "adm" };

function metadataOf(user: Owner, group: Owner): Metadata {
  return { mode: 0o644, mtimeNs: 1n, user, group };
}

/** The owners of entries that follow a directory with these, as they are read. */
function read(directory: Metadata | undefined, entries: readonly Metadata[]) {
  const writer = new ManifestWriter(new Uint8Array(10_000), 0);
  const common = { type: EntryType.file, size: 1, target: "", extras: undefined };
  for (const [index, metadata] of entries.entries())
    writer.add({ path: "a", metadata: directory }, { ...common, name: `${index}`, metadata });
  const [found] = decodeManifest(writer.finish()).directories;
  assert.ok(found);
  return { header: found.header.metadata, entries: found.entries.map(({ metadata }) => metadata) };
}

test("an owner that comes again is the object that was read first", () => {
  const { header, entries } = read(metadataOf(ROOT, ADM), [
    metadataOf(ROOT, ADM),
    metadataOf(ROOT, ROOT),
    metadataOf(ROOT, ROOT),
    metadataOf(ADM, ROOT),
    metadataOf(ADM, ROOT),
  ]);
  const [first, second, third, fourth, fifth] = entries as [Metadata, Metadata, Metadata, Metadata, Metadata];
  assert.equal(first.user, header?.user);
  assert.equal(first.group, header?.group);
  assert.equal(second.user, first.user);
  assert.equal(third.group, second.group);
  assert.equal(fifth.user, fourth.user);
  assert.deepEqual(
    entries.map(({ group }) => group),
    [ADM, ROOT, ROOT, ROOT, ROOT],
  );
});

test("another owner, by number or by name, is another object", () => {
  const { entries } = read(undefined, [
    metadataOf(ROOT, ADM),
    metadataOf({ id: 0, name: "toor" }, ADM),
    metadataOf({ id: 1, name: "toor" }, ADM),
  ]);
  assert.deepEqual(
    entries.map(({ user }) => user),
    [ROOT, { id: 0, name: "toor" }, { id: 1, name: "toor" }],
  );
});
