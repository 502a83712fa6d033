import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DecodeError } from "../../../src/base/bytes.ts";
import { ChangeList } from "../../../src/tree/apply/change-list.ts";
import { JournalWriter, readJournal } from "../../../src/tree/apply/journal.ts";
import { writeAll } from "../../../src/tree/apply/write-all.ts";
import { type Step, StepKind } from "../../../src/tree/decide/decision.ts";
import type { Disk } from "../../../src/tree/disk/disk.ts";
import { EntryType } from "../../../src/wire/entry.ts";
import { NO_METADATA } from "../../../src/wire/metadata.ts";
import { MemoryDisk } from "../../disk/memory-disk.ts";
import { RecordingDisk } from "../../disk/recording-disk.ts";
import { meta } from "./member.ts";

/** The files that a transfer writes for itself: its journal, and the list of what changes. */

const step = (path: string, more: Partial<Step> = {}): Step => ({
  kind: StepKind.place,
  type: EntryType.file,
  path,
  metadata: NO_METADATA,
  attributes: undefined,
  ...more,
});

function written(steps: readonly Step[], disk: Disk = new MemoryDisk()): Disk {
  const writer = new JournalWriter(disk, disk.openRoot("/"), "journal");
  for (const one of steps) writer.addStep(one);
  writer.finish();
  return disk;
}

function read(disk: Disk): Step[] {
  const root = disk.openRoot("/");
  return [...readJournal(disk, () => disk.openFile(root, "journal", "read"))];
}

/** A step as text: the differences of large steps take long to show. */
const words = ({ kind, type, path, metadata, attributes }: Step) => {
  const values = attributes?.map(({ name, value }) => `${name}=${Buffer.from(value).toString("hex")}`);
  const owners = [metadata.user, metadata.group].map(({ id, name }) => `${id} ${name}`);
  return [kind, type, path, metadata.mode, metadata.mtimeNs, ...owners, values?.join()].join("|");
};

function assertSame(found: readonly Step[], wanted: readonly Step[]): void {
  const [own, other] = [found, wanted].map((steps) => steps.map(words));
  assert.equal(own?.length, other?.length);
  const place = own?.findIndex((text, index) => text !== other?.[index]) ?? -1;
  assert.equal(place, -1, `step ${place} is another one`);
}

describe("a journal", () => {
  test("gives back its steps with all that they set", () => {
    const set = { metadata: meta(0o2750, { user: { id: 7, name: "x" }, group: { id: 8, name: "y" } }) };
    const attributes = [{ name: "user.a", value: Uint8Array.of(1, 2) }];
    const steps = [
      step("a"),
      step("d\xff/e", { kind: StepKind.adjust, type: EntryType.directory, ...set }),
      step("d", { kind: StepKind.finish, type: EntryType.directory, ...set, attributes }),
      step("x", { kind: StepKind.finish, type: EntryType.directory, ...set, attributes: [] }),
      step("gone", { kind: StepKind.remove }),
    ];
    assertSame(read(written(steps)), steps);
    assert.deepEqual(read(written([])), []);
  });

  test("of an older version is understood: the kinds of steps keep their numbers", () => {
    assert.deepEqual(StepKind, { place: 1, adjust: 2, finish: 3, remove: 4, restore: 5, goes: 6 });
  });

  test("of several buffers is whole, and is written and read a buffer at a time", () => {
    const disk = new RecordingDisk(new MemoryDisk(), { withLooks: true });
    const steps = Array.from({ length: 9_000 }, (_, index) =>
      step(`${"d".repeat(index % 90)}/${index}`.slice(1)),
    );
    const wanted = steps.filter(({ path }) => !path.startsWith("/") && path !== "");
    written(wanted, disk);
    const writes = disk.lines.filter((line) => line.startsWith("write journal"));
    assert.ok(writes.length > 3 && writes.length < 10, `${writes.length} writes`);
    disk.lines.length = 0;
    assertSame(read(disk), wanted);
    const reads = disk.lines.filter((line) => line.startsWith("read journal"));
    assert.ok(reads.length > 3 && reads.length < 12, `${reads.length} reads`);
    assert.equal(disk.lines.at(-1), "close-file journal");
  });

  test("holds steps of every length, wherever the end of a buffer comes", () => {
    const path = Array.from({ length: 16 }, () => "n".repeat(254)).join("/");
    const owner = { id: 1, name: "o".repeat(255) };
    const metadata = meta(0o755, { user: owner, group: owner });
    const longStep = (fill: number) => {
      const value = new Uint8Array(160).fill(fill);
      const names = Array.from({ length: 100 }, (_, index) => `user.${index}`.padEnd(255, "x"));
      const attributes = names.map((name) => ({ name, value }));
      return step(path, { kind: StepKind.finish, type: EntryType.directory, metadata, attributes });
    };
    const steps = Array.from({ length: 12 }, (_, index) => [
      step("s".repeat(1 + index)),
      longStep(index),
    ]).flat();
    assertSame(read(written(steps)), steps);
  });

  test("with a step of the greatest length one byte longer than what is left of a buffer is whole", () => {
    const path = (length: number) =>
      Array.from({ length: 17 }, () => "p".repeat(240))
        .join("/")
        .slice(0, length);
    const owner = { id: 1, name: "o".repeat(255) };
    const metadata = meta(0o755, { user: owner, group: owner });
    const attributes = Array.from({ length: 100 }, (_, index) => {
      const value = new Uint8Array(index === 0 ? 544 : 160).fill(index);
      return { name: `user.${index}`.padEnd(255, "x"), value };
    });
    const greatest = step(path(4_096), {
      kind: StepKind.finish,
      type: EntryType.directory,
      metadata,
      attributes,
    });
    // Each of the others has 25 bytes beside its path.
    const before = Array.from({ length: 20 }, () => step(path(4_096)));
    const steps = [...before, step(path(84_257 - 20 * 4_121 - 25)), greatest, step("last")];
    const disk = written(steps);
    assert.equal(disk.stat(disk.openRoot("/"), "journal")?.size, 84_257 + 46_816 + 29);
    assertSame(read(disk), steps);
  });

  test("that ends at any byte gives the steps before, and then no more", () => {
    const steps = [step("one"), step("d", { kind: StepKind.adjust, metadata: meta(), attributes: [] })];
    const disk = written(steps);
    const root = disk.openRoot("/");
    const size = disk.stat(root, "journal")?.size ?? 0;
    for (let end = size - 1; end > 0; end--) {
      const file = disk.openFile(root, "journal", "write");
      disk.truncate(file, end);
      disk.closeFile(file);
      const found: Step[] = [];
      const reading = readJournal(disk, () => disk.openFile(root, "journal", "read"));
      const isWhole = end === 26 + 2;
      const readAll = () => {
        for (const one of reading) found.push(one);
      };
      if (isWhole) readAll();
      else assert.throws(readAll, DecodeError, `${end}`);
      assert.deepEqual(found, end < 28 ? [] : steps.slice(0, 1), `${end}`);
    }
  });

  test("with a byte of the path that leads elsewhere is refused", () => {
    for (const path of ["", "/a", "../a", "a/../b", ".makuosan/a", "a//b", "a/"]) {
      const disk = new MemoryDisk();
      assert.throws(() => read(written([step("ok"), step(path)], disk)), DecodeError, path);
    }
  });

  test("that fails while it is read is closed", () => {
    const disk = new RecordingDisk(written([step("a"), step("../b")]), { withLooks: true });
    assert.throws(() => read(disk), DecodeError);
    assert.equal(disk.lines.at(-1), "close-file journal");
    disk.lines.length = 0;
    const root = disk.openRoot("/");
    for (const one of readJournal(disk, () => disk.openFile(root, "journal", "read"))) {
      assert.equal(one.path, "a");
      break;
    }
    assert.equal(disk.lines.at(-1), "close-file journal");
  });

  test("is made readable by its owner alone, and is never written over", () => {
    const disk = new RecordingDisk(new MemoryDisk());
    const writer = new JournalWriter(disk, disk.openRoot("/"), "journal");
    assert.deepEqual(disk.lines, ["make-file journal 600"]);
    assert.throws(() => new JournalWriter(disk, disk.openRoot("/"), "journal"), { code: "EEXIST" });
    writer.close();
    writer.close();
    const finished = new RecordingDisk(new MemoryDisk(), { withLooks: true });
    written([step("a")], finished);
    assert.deepEqual(finished.lines.slice(-2), ["sync-file journal", "close-file journal"]);
  });

  test("can be read as far as it was made readable, while it is written", () => {
    const disk = new MemoryDisk();
    const writer = new JournalWriter(disk, disk.openRoot("/"), "journal");
    for (const path of ["a", "b", "c"]) {
      writer.addStep(step(path));
      writer.flush();
      assert.equal(read(disk).at(-1)?.path, path);
    }
    assert.equal(read(disk).length, 3);
    writer.close();
  });
});

describe("the list of what changes", () => {
  const nameOf = (index: number) => String(index).padStart(63, "n");

  test("is written when 64 KiB have come together, and the rest at its end", () => {
    const disk = new RecordingDisk(new MemoryDisk(), { withLooks: true });
    const root = disk.openRoot("/");
    const list = new ChangeList(disk, () => root, "changes");
    disk.lines.length = 0;
    for (let index = 0; index < 1_023; index++) list.add(nameOf(index));
    assert.deepEqual(disk.lines, []);
    list.add(nameOf(1_023));
    assert.deepEqual(disk.lines, ["write changes 65536 at 0"]);
    for (let index = 0; index < 1_024; index++) list.add(nameOf(index));
    list.add("rest");
    list.finish();
    assert.deepEqual(disk.lines, [
      "write changes 65536 at 0",
      "write changes 65536 at 65536",
      "write changes 5 at 131072",
      "close-file changes",
    ]);
  });

  test("is not written before that", () => {
    const disk = new RecordingDisk(new MemoryDisk());
    const root = disk.openRoot("/");
    const list = new ChangeList(disk, () => root, "changes");
    disk.lines.length = 0;
    for (const piece of [1, 2]) {
      for (let index = 0; index < 1_023; index++) list.add(nameOf(index));
      list.add("n".repeat(62));
      assert.deepEqual(disk.lines.length, piece - 1);
      list.add("");
      assert.equal(disk.lines.length, piece);
    }
  });

  test("is written again without some of its paths, and both files are closed", () => {
    const disk = new RecordingDisk(new MemoryDisk(), { withLooks: true });
    const root = disk.openRoot("/");
    const list = new ChangeList(disk, () => root, "changes");
    for (let index = 0; index < 3_000; index++) list.add(nameOf(index));
    disk.lines.length = 0;
    list.finish((path) => path !== nameOf(1) && path !== nameOf(1_024) && path !== nameOf(2_999));
    assert.equal(disk.stat(root, "changes")?.size, 64 * 2_997);
    const calls = disk.lines.filter((line) => !/^(stat|write|read) /.test(line));
    assert.deepEqual(
      calls,
      ["unlink changes", "make-file changes 600", "close-file (closed)", "close-file changes"]
        .slice(0, 2)
        .concat(calls.slice(2)),
    );
    assert.equal(calls.filter((line) => line.startsWith("close-file")).length, 2);
    assert.equal(disk.lines.filter((line) => line.startsWith("read ")).length, 4);
  });
});

test("what is written in part is written on from there", () => {
  const memory = new MemoryDisk();
  const root = memory.openRoot("/");
  const file = memory.makeFile(root, "f", 0o644);
  const calls: string[] = [];
  const write = (_: unknown, bytes: Uint8Array, offset: number) => {
    calls.push(`${bytes.length} at ${offset}`);
    return memory.write(file, bytes.subarray(0, 2), offset);
  };
  writeAll({ write } as unknown as Disk, file, Buffer.from("abcde"), 10);
  assert.deepEqual(calls, ["5 at 10", "3 at 12", "1 at 14"]);
  const bytes = Buffer.alloc(15);
  memory.read(file, bytes, 0);
  assert.equal(bytes.toString("latin1", 10), "abcde");
});
