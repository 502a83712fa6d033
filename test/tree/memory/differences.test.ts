import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { DecodeError } from "../../../src/base/bytes.ts";
import { Protection } from "../../../src/tree/decide/protection.ts";
import { Difference } from "../../../src/wire/differences.ts";
import { type Entry, EntryType, NO_EXTRAS } from "../../../src/wire/entry.ts";
import { failKind } from "../../disk/faults.ts";
import { finish } from "../../support/staging.ts";
import {
  directory,
  entry,
  file,
  hardLink,
  manifestBlock,
  Member,
  meta,
  symlink,
  TIME_NS,
  reasonOf,
} from "./member.ts";

/** How entries are compared, and what a member answers of them. */

const { missing, type: ofType, contents, mode, owner, time, attributes: ofAttributes } = Difference;

/** How each entry differs, as a check tells it. */
function differences(member: Member, ...entries: Entry[]): number[] {
  const push = member.push("t-1", { dryRun: true });
  push.plan({ terms: { isCheck: true } });
  return [...(push.entries("", entries).differences ?? [])];
}

const by = (user: number, group: number, bits = 0o644) =>
  meta(bits, { user: { id: user, name: "" }, group: { id: group, name: "" } });

const digest = (text: string): Partial<Entry> => ({
  extras: { ...NO_EXTRAS, digest: createHash("sha256").update(text).digest() },
});

describe("a difference", () => {
  const here = () => new Member().put({ f: "hello", "d/": "", l: "-> x", empty: "" });

  test("of type is no other; nothing else is compared", () => {
    assert.deepEqual(
      differences(here(), directory("f"), file("d", 9), symlink("empty", "x"), hardLink("d", "f")),
      [ofType, ofType, ofType, ofType],
    );
  });

  test("of mode, owner, group and time is told for each", () => {
    const later = meta(0o600, { mtimeNs: TIME_NS + 1n });
    const ofFile = (metadata: ReturnType<typeof meta>) => differences(here(), file("f", 5, { metadata }));
    assert.deepEqual([meta(0o600), by(1, 0), by(0, 1)].flatMap(ofFile), [mode, owner, owner]);
    assert.deepEqual(
      differences(here(), file("f", 5, { metadata: later }), directory("d", { metadata: later })),
      [mode | time | contents, mode | time],
    );
    assert.deepEqual(differences(here(), file("f", 5), directory("d"), file("f", 4)), [0, 0, contents]);
    assert.deepEqual(differences(here(), file("f", 5, { metadata: meta(0o4644) }), file("none", 5)), [
      mode,
      missing,
    ]);
  });

  test("of an empty file's time is none of its contents", () => {
    assert.deepEqual(differences(here(), file("empty", 0, { metadata: meta(0o644, { mtimeNs: 1n }) })), [
      time,
    ]);
  });

  test("of a link is its target, its owner and its time, not its mode", () => {
    assert.deepEqual(
      differences(
        here(),
        symlink("l", "x", { metadata: meta(0o600) }),
        symlink("l", "y"),
        symlink("l", "x", { metadata: by(1, 0) }),
      ),
      [0, contents, owner],
    );
  });

  test("of time is one microsecond at the least where times are not exact", () => {
    const at = (mtimeNs: bigint) => file("f", 5, { metadata: meta(0o644, { mtimeNs }) });
    const exact = here();
    assert.deepEqual(differences(exact, at(TIME_NS + 1n)), [time | contents]);
    const rounding = new Member({ hasExactTimes: false }).put({ f: "hello" });
    assert.deepEqual(differences(rounding, at(TIME_NS + 1_000n), at(TIME_NS - 1_001n)), [0, time | contents]);
  });

  test("of a device is its number", () => {
    const member = here();
    member.in("", (root, disk) => {
      disk.makeSpecial(root, "b", "blockDevice", 0o644, { major: 8, minor: 1 });
      disk.makeSpecial(root, "c", "characterDevice", 0o644, { major: 8, minor: 1 });
      disk.makeSpecial(root, "p", "fifo", 0o644, { major: 0, minor: 0 });
      for (const name of ["b", "c", "p"]) disk.setTime(root, name, TIME_NS);
    });
    const device = (type: EntryType, name: string, major: number, minor: number) =>
      entry(type, name, { extras: { ...NO_EXTRAS, device: { major, minor } } });
    const { blockDevice, characterDevice } = EntryType;
    assert.deepEqual(
      differences(
        member,
        device(blockDevice, "b", 8, 1),
        device(blockDevice, "b", 8, 2),
        device(blockDevice, "b", 9, 1),
      ),
      [0, contents, contents],
    );
    assert.deepEqual(
      differences(
        member,
        device(characterDevice, "c", 8, 1),
        device(blockDevice, "c", 8, 1),
        entry(EntryType.fifo, "p"),
      ),
      [0, ofType, 0],
    );
  });

  test("of extended attributes is any of them", () => {
    const member = here();
    member.in("", (root, disk) => disk.setAttribute(root, "f", "user.a", Buffer.from("1")));
    const withValue = (...values: string[]) =>
      file("f", 5, {
        extras: {
          ...NO_EXTRAS,
          attributes: values.map((value, index) => ({
            name: `user.${"ab"[index]}`,
            value: Buffer.from(value),
          })),
        },
      });
    const told = [withValue("1"), withValue("2"), withValue(), withValue("1", "2")];
    assert.deepEqual(
      told.flatMap((one) => differences(member, one)),
      [0, ofAttributes, ofAttributes, ofAttributes],
    );
    member.memory.before = failKind("listAttributes", "EIO");
    assert.deepEqual(differences(member, withValue("1")), [ofAttributes]);
  });

  test("of contents is that of the digest, where there is one, whatever the time", () => {
    const member = here();
    const old = { metadata: meta(0o644, { mtimeNs: 1n }) };
    const told = [
      file("f", 5, digest("hello")),
      file("f", 5, digest("hullo")),
      file("f", 5, { ...digest("hello"), ...old }),
      file("f", 4, digest("hell")),
    ];
    assert.deepEqual(
      told.flatMap((one) => differences(member, one)),
      [0, contents, time, contents],
    );
    for (const code of ["EACCES", "EIO", "ENOENT"]) {
      member.memory.before = failKind("openFile", code, "f");
      assert.deepEqual(differences(member, file("f", 5, digest("hello"))), [contents], code);
    }
    member.memory.before = ({ kind }) => {
      if (kind === "openFile") throw new Error("no error of the disk");
    };
    assert.throws(() => differences(member, file("f", 5, digest("hello"))), /no error of the disk/);
  });

  test("of contents is told where the file changes while it is read", () => {
    const big = "x".repeat(3_000_000);
    for (const [change, expected] of [
      [(member: Member) => member.in("", (root, disk) => disk.setTime(root, "f", TIME_NS + 5n)), contents],
      [
        (member: Member) => member.put({ g: big }).in("", (root, disk) => disk.rename(root, "g", root, "f")),
        contents,
      ],
      [(member: Member) => member.in("", (root, disk) => disk.unlink(root, "f")), contents],
      [() => undefined, 0],
    ] as const) {
      const member = new Member({ withLooks: true }).put({ f: big });
      const push = member.push("t-1", { dryRun: true });
      push.plan({ terms: { isCheck: true } });
      const steps = push.stage.plan(
        manifestBlock({ directories: [{ path: "", entries: [file("f", big.length, digest(big))] }] }),
      );
      assert.equal(steps.next().done, false);
      change(member);
      assert.deepEqual([...(finish(steps).differences ?? [])], [expected]);
      assert.equal(member.openHandles, 1);
    }
  });

  test("of contents is looked for a megabyte at a time, and the file is closed when nobody goes on", () => {
    const big = "x".repeat(2_500_000);
    const member = new Member({ withLooks: true }).put({ f: big });
    const steps = member
      .push()
      .stage.plan(
        manifestBlock({ directories: [{ path: "", entries: [file("f", big.length, digest(big))] }] }),
      );
    let turns = 0;
    while (steps.next().done !== true) turns++;
    assert.equal(turns, 2);
    const again = member
      .push()
      .stage.plan(
        manifestBlock({ directories: [{ path: "", entries: [file("f", big.length, digest(big))] }] }),
      );
    again.next();
    again.return({} as never);
    assert.equal(member.openHandles, 2);
  });

  test("of a further name is that it is none of the file's, by both numbers of it", () => {
    const member = new Member().put({ a: "aaa", b: "aaa" });
    member.in("", (root, disk) => {
      disk.link(root, "a", root, "c");
      disk.makeDirectory(root, "m", 0o755);
      disk.mount(root, "m");
    });
    assert.deepEqual(
      differences(
        member,
        hardLink("b", "a"),
        hardLink("c", "a"),
        hardLink("b", "none"),
        hardLink("none", "a"),
      ),
      [contents, 0, contents, missing],
    );
  });
});

describe("what a member answers", () => {
  test("is how entries differ, in a check, or where it has contents itself", () => {
    const answer = (isCheck: boolean, ...entries: Entry[]) => {
      const push = new Member().put({ f: "hello", "d/": "", l: "-> x" }).push();
      if (isCheck) push.plan({ terms: { isCheck } });
      const { wants, differences: told } = push.entries("", entries);
      return [wants.count(), told === undefined ? undefined : [...told]];
    };
    assert.deepEqual(answer(false, file("f", 5), file("new", 1)), [1, undefined]);
    assert.deepEqual(answer(false, file("f", 5, digest("hello")), file("new", 1)), [1, undefined]);
    assert.deepEqual(answer(true, file("f", 5), file("new", 1)), [1, [0, missing]]);
    assert.deepEqual(answer(false, file("new", 1), file("f", 5, { metadata: meta(0o600) })), [
      2,
      [missing, mode],
    ]);
    assert.deepEqual(
      answer(false, directory("d", { metadata: meta(0o700) }), symlink("l", "x", { metadata: by(1, 1) })),
      [2, undefined],
    );
  });

  test("is about entries that are numbered over all blocks, also of directories that are left out", () => {
    const member = new Member().put({ "kept/": "" });
    const push = member.push("t-1", { protection: Protection.of(["kept"], "/") });
    assert.equal(push.entries("", [file("a", 1), file("b", 1)]).wants.count(), 2);
    assert.equal(push.entries("kept", [file("x", 1), file("y", 1)]).wants.count(), 0);
    const { wants } = push.plan({
      directories: [
        { path: "kept", entries: [file("x", 1)] },
        { path: "", entries: [file("c", 1)] },
      ],
    });
    assert.deepEqual([wants.get(0), wants.get(1)], [false, true]);
    assert.equal(
      reasonOf(() =>
        finish(push.stage.plan(manifestBlock({ directories: [{ path: "", entries: [file("d", 1)] }] }, 7))),
      ),
      "undefined: manifest-gap",
    );
    assert.throws(() => finish(push.stage.plan(Uint8Array.of(9))), DecodeError);
  });

  test("counts what it changes: entries, and bytes that are needed", () => {
    const member = new Member().put({ f: "hello", "d/": "", a: "aaa" });
    const push = member.push();
    const names = { extras: { ...NO_EXTRAS, hasOtherNames: true } };
    const sparse = { extras: { ...NO_EXTRAS, allocated: 10 } };
    push.entries("", [
      file("f", 5),
      file("new", 7),
      file("sparse", 100, sparse),
      file("a", 3, { metadata: meta(0o600), ...names }),
      hardLink("b", "a"),
      directory("d", { metadata: meta(0o700) }),
      directory("e"),
      symlink("l", "x"),
    ]);
    assert.deepEqual(push.stage.totals, { entries: 7, bytes: 17 });
  });

  test("wants every name of a file that is going to be another one", () => {
    const member = new Member().put({ a: "aaa" });
    member.in("", (root, disk) => disk.link(root, "a", root, "b"));
    const names = { extras: { ...NO_EXTRAS, hasOtherNames: true } };
    const wanted = (...entries: Entry[]) =>
      member.push("t-1", { dryRun: true }).entries("", entries).wants.count();
    assert.equal(wanted(file("a", 3, names), hardLink("b", "a")), 0);
    assert.equal(wanted(file("a", 4, names), hardLink("b", "a")), 2);
    assert.equal(wanted(file("a", 4), hardLink("b", "a")), 1);
  });
});
