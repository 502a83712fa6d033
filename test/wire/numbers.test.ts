import assert from "node:assert/strict";
import { test } from "node:test";
import { epochHalves } from "../../src/wire/datagram.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { NO_NONCE } from "../../src/wire/membership-messages.ts";
import { directoryOf, joinPath, nameOf } from "../../src/wire/path-rules.ts";
import { MemberPhase, wantBytes } from "../../src/wire/status-message.ts";
import { Bitmap } from "../../src/base/bitmap.ts";

/** Numbers that nodes of other builds know by other names: they never change. */

test("the phases of a member have the numbers of the protocol, each higher than those before", () => {
  const phases = ["waiting", "receiving", "ready", "ordered", "committing", "done", "failed", "refused"];
  assert.deepEqual(
    Object.entries(MemberPhase),
    phases.map((name, number) => [name, number]),
  );
});

test("the types of entries have the numbers of the protocol", () => {
  const files = ["file", "directory", "symlink", "passage", "kept", "gone", "fifo"];
  const types = [...files, "characterDevice", "blockDevice", "hardLink"];
  assert.deepEqual(
    Object.entries(EntryType),
    types.map((name, index) => [name, index + 1]),
  );
});

test("no nonce is sixteen bytes of zero", () => {
  assert.equal(NO_NONCE, "00000000000000000000000000000000");
});

test("an epoch is compared in two halves of eight digits each", () => {
  assert.deepEqual(epochHalves("0123456789abcdef"), { high: 0x0123_4567, low: 0x89ab_cdef });
  assert.deepEqual(epochHalves("ffffffff00000001"), { high: 0xffff_ffff, low: 1 });
});

test("a path is its directory and its name", () => {
  for (const [directory, name, path] of [
    ["", "name", "name"],
    ["a", "name", "a/name"],
    ["a/b", "n", "a/b/n"],
  ] as const) {
    assert.equal(joinPath(directory, name), path);
    assert.deepEqual([directoryOf(path), nameOf(path)], [directory, name]);
  }
});

test("a want takes seven bytes, and one for each difference or eight entries where they are told", () => {
  const some = new Bitmap(20, new Uint8Array([1, 0, 0]));
  assert.equal(wantBytes({ block: 0, entries: some, differences: new Uint8Array(20) }), 7 + 20);
  assert.equal(wantBytes({ block: 0, entries: some, differences: undefined }), 7 + 3);
});
