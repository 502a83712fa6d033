import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DecodeError } from "../../../src/base/bytes.ts";
import type { Entry } from "../../../src/wire/entry.ts";
import { Difference, ELSEWHERE } from "../../../src/wire/differences.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../../src/wire/datagram.ts";
import { ManifestWriter, SENT_ANYWAY, type ToldChunk } from "../../../src/wire/manifest.ts";
import { ChunkTags } from "../../../src/tree/entries/chunk-tags.ts";
import { finish } from "../../support/staging.ts";
import { content, file, hole, Member, meta, type Push, TIME_NS, withdrawal } from "./member.ts";

/** Chunks that a sender tells, also one that lies. */

const TAGS = new ChunkTags(new Uint8Array(32).fill(7));
const SIZE = 300_000;
const OLD = Array.from({ length: SIZE }, (_, index) => String.fromCharCode((index * index) % 251)).join("");
const NEW = `${OLD.slice(0, 100_000)}new${OLD.slice(100_003)}`;
const PART = 50_000;

function begin({ tellsChunks = true, size = SIZE, old = OLD, canClone = false } = {}): {
  member: Member;
  push: Push;
  marked: boolean;
} {
  const member = new Member({ withLooks: true, canClone }).put({ f: old });
  const push = member.push();
  if (tellsChunks) tellChunks(push);
  const { differences } = push.entries("", [later("f", size)]);
  const marked =
    differences !== undefined &&
    (differences[0] as number) === (Difference.contents | Difference.time | ELSEWHERE);
  return { member, push, marked };
}

function tellChunks(push: Push): void {
  const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 0);
  writer.addChunkKey(TAGS.key);
  finish(push.stage.plan(writer.finish()));
}

/** A file that has changed since. */
function later(name: string, size = SIZE): Entry {
  return file(name, size, { metadata: meta(0o644, { mtimeNs: TIME_NS + 1n }) });
}

function chunkOf(
  start: number,
  end: number,
  { text = NEW, entry = 0, length = end - start } = {},
): ToldChunk {
  return { entry, length, tag: TAGS.tagOf(Buffer.from(text.slice(start, end), "latin1")) };
}

/** The numbers of the chunks that are needed. */
function tell(push: Push, chunks: readonly ToldChunk[], nextEntry = 1): number[] {
  const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), nextEntry);
  for (const chunk of chunks) assert.ok(writer.addChunk(chunk));
  const { wants } = finish(push.stage.plan(writer.finish()));
  return chunks.map((_, index) => index).filter((index) => wants.get(index));
}

const parts = [0, 1, 2, 3, 4].map((index) => chunkOf(index * PART, (index + 1) * PART));

describe("chunks of a file", () => {
  test("that this member has are not needed, and are not written twice", () => {
    const { member, push, marked } = begin();
    assert.ok(marked);
    assert.deepEqual(tell(push, parts), [2]);
    // Everything is sent, because other members need it.
    for (let start = 0; start < SIZE; start += 30_000)
      push.send(content(0, NEW.slice(start, start + 30_000), start));
    push.prepare().commit();
    assert.ok(member.text("f") === NEW);
  });

  test("that keep their places are not written where files can share contents", () => {
    for (const rest of ["", "longer", "much longer".repeat(40_000)]) {
      const { member, push } = begin({ old: OLD + rest, canClone: true });
      member.disk.lines.length = 0;
      assert.deepEqual(tell(push, parts), [2]);
      const written = member.disk.lines.filter((line) => line.startsWith("write "));
      assert.equal(written.length, rest.length > SIZE ? 3 : 1);
      push.send(content(0, NEW.slice(100_000, 150_000), 100_000));
      push.send(content(0, NEW.slice(250_000), 250_000));
      push.prepare().commit();
      assert.ok(member.text("f") === NEW);
    }
  });

  test("are found in a clone also if the file has changed since", () => {
    const { member, push } = begin({ canClone: true });
    assert.deepEqual(tell(push, parts.slice(0, 1)), []);
    member.in("", (root, disk) => {
      const opened = disk.openFile(root, "f", "write");
      disk.write(opened, Buffer.from("another"), 60_000);
      disk.closeFile(opened);
    });
    assert.deepEqual(tell(push, parts.slice(1, 2)), []);
    push.stage.clean().next();
  });

  test("are found in a clone of a file that has grown just before: what is too much is cut off", () => {
    const { member, push } = begin({ canClone: true });
    member.memory.before = ({ kind }) => {
      if (kind !== "cloneContents") return;
      member.memory.before = undefined;
      member.in("", (root, disk) => {
        const opened = disk.openFile(root, "f", "write");
        disk.write(opened, Buffer.from("a line more"), SIZE);
        disk.closeFile(opened);
      });
    };
    assert.deepEqual(tell(push, parts), [2]);
    assert.equal(member.memory.before, undefined);
    push.send(content(0, NEW.slice(100_000, 150_000), 100_000));
    push.send(content(0, NEW.slice(250_000), 250_000));
    push.prepare().commit();
    assert.ok(member.text("f") === NEW);
  });

  test("beside a hole: a clone has zeros there", () => {
    for (const canClone of [false, true]) {
      const { member, push } = begin({ canClone });
      assert.deepEqual(tell(push, parts.slice(0, 2)), []);
      push.send(hole(0, 100_000, 150_000), content(0, NEW.slice(250_000), 250_000));
      push.prepare().commit();
      const expected = NEW.slice(0, 100_000) + "\0".repeat(150_000) + NEW.slice(250_000);
      assert.ok(member.text("f") === expected, `${canClone}`);
    }
  });

  test("may be told in several blocks", () => {
    const { member, push } = begin();
    assert.deepEqual(tell(push, parts.slice(0, 2)), []);
    assert.deepEqual(tell(push, parts.slice(2)), [0]);
    push.send(
      content(0, NEW.slice(100_000, 150_000), 100_000),
      content(0, NEW.slice(250_000, 254_000), 250_000),
    );
    push.send(content(0, NEW.slice(254_000), 254_000));
    push.prepare().commit();
    assert.ok(member.text("f") === NEW);
  });

  test("are not asked for if the sender does not tell them, the file is small or there is too little", () => {
    assert.equal(begin({ tellsChunks: false }).marked, false);
    assert.equal(begin({ size: 200_000 }).marked, false);
    assert.equal(begin({ old: "short" }).marked, false);
  });

  test("are forgotten with a file that is withdrawn", () => {
    const { member, push } = begin();
    tell(push, parts);
    push.send(withdrawal(0));
    assert.deepEqual(tell(push, parts), []);
    push.prepare().commit();
    assert.ok(member.text("f") === OLD);
  });

  test("of an entry that is not there are not needed", () => {
    const { push } = begin();
    assert.deepEqual(tell(push, [chunkOf(0, PART, { entry: 77 })]), []);
    push.stage.clean();
  });

  for (const [where, length] of [
    ["the end", 50_000],
    ["a place beyond the end", 50_001],
  ] as const)
    test(`that reach ${where} of their file are malformed`, () => {
      const { push } = begin({ old: NEW });
      assert.deepEqual(tell(push, parts), []);
      assert.throws(() => tell(push, [chunkOf(250_000, SIZE, { length })]), DecodeError);
    });

  test("that are sent anyway are not looked for, and those after them are found", () => {
    const { member, push } = begin();
    const anyway = { entry: 0, length: 3 * PART, tag: SENT_ANYWAY };
    member.disk.lines.length = 0;
    assert.deepEqual(tell(push, [anyway]), [0]);
    assert.deepEqual(
      member.disk.lines.filter((line) => /^(open-file|read)/.test(line)),
      [],
    );
    assert.deepEqual(tell(push, parts.slice(3)), []);
    for (const start of [0, PART, 2 * PART, 5 * PART])
      push.send(content(0, NEW.slice(start, start + PART), start));
    push.prepare().commit();
    assert.ok(member.text("f") === NEW);
  });

  test("that were told after those of another file are needed", () => {
    const member = new Member().put({ f: OLD, g: OLD });
    const push = member.push();
    tellChunks(push);
    push.entries("", [later("f"), later("g")]);
    const first = (entry: number) => chunkOf(0, PART, { entry });
    const second = (entry: number) => chunkOf(PART, 2 * PART, { entry });
    assert.deepEqual(tell(push, [first(0), first(1), second(1), second(0)], 2), [3]);
    for (let start = 2 * PART; start < SIZE; start += PART)
      for (const entry of [0, 1]) push.send(content(entry, NEW.slice(start, start + PART), start));
    push.send(content(0, NEW.slice(PART, 2 * PART), PART));
    push.prepare().commit();
    assert.ok(member.text("f") === NEW && member.text("g") === NEW);
  });

  test("with a digest of other contents are needed", () => {
    const { push } = begin();
    assert.deepEqual(
      tell(push, [{ ...chunkOf(0, PART), tag: new Uint8Array(16) }, chunkOf(0, PART, { length: 7 })]),
      [0, 1],
    );
    assert.throws(() => push.prepare());
  });
});
