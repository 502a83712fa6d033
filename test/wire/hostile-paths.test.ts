import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter, DecodeError } from "../../src/base/bytes.ts";
import { BlockKind } from "../../src/wire/datagram.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { decodeManifest } from "../../src/wire/manifest.ts";
import { encodeMetadata } from "../../src/wire/metadata.ts";
import { directoryOf, isSafeName, isSafePath, joinPath, nameOf } from "../../src/wire/path-rules.ts";

const METADATA = { mode: 0o644, mtimeNs: 0n, user: { id: 0, name: "" }, group: { id: 0, name: "" } };

/** A manifest block with a hostile path; ManifestWriter would not write it. */
function manifestOf(directory: string, name?: string): Uint8Array {
  const writer = new ByteWriter(16_384);
  writer
    .u8(BlockKind.manifest)
    .u32(0)
    .u16(name === undefined ? 0 : 1);
  writer.u8(1).longText(directory).u8(0);
  if (name !== undefined) {
    writer.u8(2).u8(EntryType.file).shortText(name);
    encodeMetadata(writer, METADATA);
    writer.u64(0n);
  }
  return writer.written();
}

const refuses = (plaintext: Uint8Array) => assert.throws(() => decodeManifest(plaintext), DecodeError);

/** Components that could lead out of a directory, or mean nothing. */
const HOSTILE_NAMES = ["", ".", "..", "/", "a/b", "/etc", "../x", "x/..", "a\0", "\0", "a\0/../b"];

const HOSTILE_PATHS = [
  "/",
  "/etc",
  "//",
  "..",
  ".",
  "../etc",
  "a/..",
  "a/../..",
  "a/./b",
  "./a",
  "a/.",
  "a//b",
  "a/",
  "a\0b",
  "a/\0",
  "a/b\0/c",
  ".makuosan",
  ".makuosan/",
  ".makuosan/0123456789abcdef-1/tree",
  `a/${"n".repeat(256)}`,
  `${"n".repeat(256)}/a`,
  `${"d/".repeat(2048)}x`,
];

test("names that could lead out of a directory are refused", () => {
  for (const name of HOSTILE_NAMES) {
    assert.equal(isSafeName(name), false, JSON.stringify(name));
    refuses(manifestOf("", name));
    refuses(manifestOf("srv/www", name));
  }
});

test("directories that could lead out of the base directory are refused, with entries or without", () => {
  for (const path of HOSTILE_PATHS) {
    assert.equal(isSafePath(path), false, JSON.stringify(path));
    refuses(manifestOf(path));
    refuses(manifestOf(path, "innocent"));
  }
});

test("the staging directory is no target, and no way to one", () => {
  refuses(manifestOf("", ".makuosan"));
  refuses(manifestOf(".makuosan", "node-id"));
  assert.ok(isSafePath(".makuosan2") && isSafePath("a/.makuosan") && isSafePath(".Makuosan"));
  assert.equal(decodeManifest(manifestOf("a", ".makuosan")).directories[0]?.entries.length, 1);
});

test("a name has up to 255 bytes", () => {
  assert.ok(isSafeName("n".repeat(255)));
  assert.ok(!isSafeName("n".repeat(256)));
  assert.ok(isSafePath(`a/${"n".repeat(255)}/b`));
});

test("a path has up to 4096 bytes, its last name included", () => {
  const directory = "d/".repeat(2045) + "dd"; // 4092 bytes
  assert.ok(isSafePath(`${directory}/xyz`));
  assert.ok(!isSafePath(`${directory}/xyzw`));
  assert.equal(decodeManifest(manifestOf(directory, "xyz")).directories.length, 1);
  refuses(manifestOf(directory, "xyzw"));
});

test("odd names that mean nothing to the kernel pass as they are", () => {
  for (const name of [
    "...",
    " ",
    "-rf",
    "*",
    "\n",
    "\u001b[2J",
    "\u00ff\u00fe",
    "\\..\\",
    "~",
    "C:",
    "..a",
  ]) {
    assert.ok(isSafeName(name), JSON.stringify(name));
    const [directory] = decodeManifest(manifestOf("", name)).directories;
    assert.equal(directory?.entries[0]?.name, name);
  }
});

test("of all paths made of two components, just the safe ones pass", () => {
  const components = ["", ".", "..", "a", ".makuosan", "b\0", "n".repeat(256), "...", ".makuosan."];
  const isSafe = (name: string, isFirst: boolean) =>
    ["a", "...", ".makuosan."].includes(name) || (name === ".makuosan" && !isFirst);
  for (const first of components) {
    for (const second of components) {
      assert.equal(isSafePath(`${first}/${second}`), isSafe(first, true) && isSafe(second, false));
    }
  }
});

test("a path comes apart into its directory and its name", () => {
  for (const [directory, name] of [
    ["", "a"],
    ["a", "b"],
    ["a/b", "c"],
  ] as const) {
    const path = joinPath(directory, name);
    assert.deepEqual([directoryOf(path), nameOf(path)], [directory, name]);
  }
  assert.equal(joinPath("", "a"), "a");
  assert.equal(joinPath("a", "b"), "a/b");
});
