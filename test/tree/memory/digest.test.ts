import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { Directories } from "../../../src/tree/disk/directories.ts";
import { type DigestForm, FileDigest } from "../../../src/tree/entries/digest.ts";
import { DATA_PIECE_BYTES } from "../../../src/wire/entry.ts";
import { Member } from "./member.ts";

/** Digests of all bytes of a file, and of its data alone. */

const GIB = 1024 ** 3;
const PIECE = DATA_PIECE_BYTES;

/** A file of some size with contents at offsets; everything else is a hole. */
interface Sparse {
  readonly size: number;
  readonly data: readonly (readonly [offset: number, text: string])[];
}

function holding({ size, data }: Sparse, options = {}): Member {
  const member = new Member({ withLooks: true, ...options });
  member.in("", (root, disk) => {
    const file = disk.makeFile(root, "f", 0o644);
    for (const [offset, text] of data) disk.write(file, Buffer.from(text, "latin1"), offset);
    disk.truncate(file, size);
    disk.closeFile(file);
  });
  return member;
}

function digestOf(member: Member, form: DigestForm): string {
  const tree = Directories.at(member.disk, "/");
  const digest = new FileDigest(tree, "", "f", form);
  for (let found = digest.step(); ; found = digest.step()) {
    if (found === undefined) continue;
    digest.close();
    tree.close();
    return found === "changed" ? found : Buffer.from(found).toString("hex");
  }
}

/** As PROTOCOL.md 6.1 has it, of a file that is small enough to be looked at as a whole. */
function expected(contents: Buffer): string {
  const hash = createHash("sha256");
  for (let offset = 0; offset < contents.length; offset += PIECE) {
    const piece = contents.subarray(offset, offset + PIECE);
    if (!piece.some((byte) => byte !== 0)) continue;
    const place = Buffer.alloc(8);
    place.writeBigUInt64LE(BigInt(offset));
    hash.update(place).update(piece);
  }
  return hash.digest("hex");
}

describe("a digest of data alone", () => {
  test("is that of the pieces with something else than zeros, after their offsets", () => {
    const size = 40 * PIECE + 1_000;
    const data: Sparse["data"] = [
      [5, "first"],
      [3 * PIECE - 2, "over two pieces"],
      [20 * PIECE, "\0".repeat(2 * PIECE)],
      [39 * PIECE, "x".repeat(PIECE)],
      [size - 4, "last"],
    ];
    const contents = Buffer.alloc(size);
    for (const [offset, text] of data) contents.write(text, offset, "latin1");
    assert.equal(digestOf(holding({ size, data }), "data"), expected(contents));
  });

  test("is the same wherever there are holes, and without a word on holes", () => {
    const size = 20 * PIECE;
    const sparse: Sparse = { size, data: [[7 * PIECE, "x"]] };
    const full: Sparse = { size, data: [[0, `${"\0".repeat(7 * PIECE)}x${"\0".repeat(13 * PIECE - 1)}`]] };
    const one = digestOf(holding(sparse), "data");
    assert.equal(digestOf(holding(full), "data"), one);
    assert.equal(digestOf(holding(sparse, { canFindHoles: false }), "data"), one);
    assert.equal(digestOf(holding(full), "contents"), digestOf(holding(sparse), "contents"));
  });

  test("is another one if contents differ, have moved, or end elsewhere", () => {
    const size = 20 * PIECE;
    const files: Sparse[] = [
      { size, data: [] },
      { size, data: [[7 * PIECE, "x"]] },
      { size, data: [[7 * PIECE, "y"]] },
      { size, data: [[8 * PIECE, "x"]] },
      { size, data: [[7 * PIECE + 1, "x"]] },
      { size: 7 * PIECE + 1, data: [[7 * PIECE, "x"]] },
    ];
    const digests = files.map((file) => digestOf(holding(file), "data"));
    assert.equal(new Set(digests).size, digests.length);
  });

  test("does not read holes", () => {
    const member = holding({
      size: 20 * GIB,
      data: [
        [3, "a"],
        [12 * GIB, "b"],
        [20 * GIB - 1, "c"],
      ],
    });
    digestOf(member, "data");
    const reads = member.disk.lines.filter((line) => line.startsWith("read "));
    assert.ok(reads.length <= 3, reads.join("\n"));
  });

  test("of a file that changes meanwhile is none", () => {
    for (const change of [
      (member: Member) => member.in("", (root, disk) => disk.setTime(root, "f", 5n)),
      (member: Member) =>
        member.in("", (root, disk) => {
          const file = disk.openFile(root, "f", "write");
          disk.truncate(file, PIECE + 5);
          disk.closeFile(file);
        }),
    ]) {
      const member = holding({
        size: 5 * GIB,
        data: [
          [0, "a"],
          [4 * GIB, "b"],
        ],
      });
      const tree = Directories.at(member.disk, "/");
      const digest = new FileDigest(tree, "", "f", "data");
      assert.equal(digest.step(), undefined);
      change(member);
      let found = digest.step();
      while (found === undefined) found = digest.step();
      assert.equal(found, "changed");
      digest.close();
      tree.close();
    }
  });
});
