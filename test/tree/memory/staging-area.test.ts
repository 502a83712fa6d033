import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StagingArea } from "../../../src/tree/apply/staging-area.ts";
import { StepKind } from "../../../src/tree/decide/decision.ts";
import { EntryType } from "../../../src/wire/entry.ts";
import { failKind } from "../../disk/faults.ts";
import { file, Member } from "./member.ts";

/** The staging area of one transfer. */

const AREA = ".makuosan/t-1";
const RULES = { keepOwner: true };

describe("the staging area", () => {
  test("of an earlier transfer of the same name goes", () => {
    const member = new Member();
    member
      .push()
      .bring("", [file("a", 1)])
      .prepare();
    const area = StagingArea.create(member.base, "t-1", RULES);
    assert.deepEqual(member.tree(AREA), { "tree/": "" });
    area.remove();
    assert.equal(member.has(".makuosan"), false);
  });

  test("whose making fails leaves nothing open", () => {
    for (const [kind, name] of [
      ["makeDirectory", "t-9"],
      ["makeDirectory", "tree"],
      ["openDirectory", "t-9"],
      ["openDirectory", "tree"],
    ] as const) {
      const member = new Member({ withLooks: true });
      const { base } = member;
      member.memory.before = failKind(kind, "EIO", name);
      assert.throws(() => StagingArea.create(base, "t-9", RULES), { code: "EIO" });
      assert.equal(member.openHandles, 1, `${kind} ${name}`);
    }
    const member = new Member();
    member.memory.before = failKind("makeDirectory", "ENOSPC", ".makuosan");
    assert.throws(() => StagingArea.create(member.base, "t-9", RULES), { code: "ENOSPC" });
  });

  test("stays where another one is beside it, and a failure of its removal is told", () => {
    const member = new Member({ withLooks: true });
    const { base } = member;
    const [one, other] = ["t-1", "t-2"].map((name) => StagingArea.create(base, name, RULES));
    one?.remove();
    assert.deepEqual(Object.keys(member.tree(".makuosan")), ["t-2/", "t-2/tree/"]);
    member.memory.before = failKind("removeDirectory", "EIO", ".makuosan");
    assert.throws(() => other?.remove(), { code: "EIO" });
    assert.equal(member.openHandles, 1);
    for (const code of ["ENOTEMPTY", "EEXIST", "ENOENT"]) {
      const third = StagingArea.create(base, "t-3", RULES);
      member.memory.before = failKind("removeDirectory", code, ".makuosan");
      third.remove();
      member.memory.before = undefined;
    }
  });

  test("is closed also where it cannot be removed", () => {
    const member = new Member({ withLooks: true });
    const { base } = member;
    const area = StagingArea.create(base, "t-1", RULES);
    member.memory.before = failKind("unlink", "EROFS", "journal");
    assert.throws(() => area.remove(), { code: "EROFS" });
    assert.equal(member.openHandles, 1);
  });

  test("tells directories that a transfer brings from those on the way to an entry", () => {
    const member = new Member();
    const area = StagingArea.create(member.base, "t-1", RULES);
    area.directoryFor("way/deeper/still");
    area.directoryFor("way/other/still");
    member.in(`${AREA}/tree/way`, (way, disk) => disk.makeDirectory(way, "new", 0o700));
    assert.deepEqual(
      ["way", "way/deeper", "way/deeper/still", "way/new", "way/none"].map((path) =>
        area.isNewDirectory(path),
      ),
      [false, false, false, true, false],
    );
  });

  test("puts things out of the way under names that are not taken", () => {
    const member = new Member().put({ a: "a", b: "b" });
    const { base } = member;
    const area = StagingArea.create(base, "t-1", RULES);
    assert.equal(area.hasDiscarded(), false);
    member.in(AREA, (own, disk) => disk.makeDirectory(own, "discarded2", 0o700));
    assert.equal(area.hasDiscarded(), true);
    for (const name of ["a", "b"]) area.discard(base.root, name);
    assert.deepEqual(member.tree(AREA), {
      discarded1: "a",
      "discarded2/": "",
      discarded3: "b",
      "tree/": "",
    });
  });

  test("of a journal that a crash has left half written begins anew", () => {
    const member = new Member();
    const area = StagingArea.create(member.base, "t-1", RULES);
    const first = area.writeJournal();
    first.add(StepKind.remove, EntryType.file, "x");
    first.finish();
    const second = area.writeJournal();
    second.add(StepKind.remove, EntryType.file, "y");
    second.finish();
    assert.deepEqual(
      [...area.readJournal("journal")].map(({ path }) => path),
      ["y"],
    );
    assert.throws(() => [...area.readJournal("ready")], { code: "ENOENT" });
  });
});
