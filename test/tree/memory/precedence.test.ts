import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { finish } from "../../../src/base/steps.ts";
import { type Step, StepKind } from "../../../src/tree/decide/decision.ts";
import { Precedence } from "../../../src/tree/decide/precedence.ts";
import { EntryType } from "../../../src/wire/entry.ts";
import { NO_METADATA } from "../../../src/wire/metadata.ts";
import { directoryOf, nameOf } from "../../../src/wire/path-rules.ts";
import { failKind } from "../../disk/faults.ts";
import { directory, entry, file, Member, meta, type Push, symlink, TIME_NS } from "./member.ts";

/** What a transfer keeps, or gives up, when another one commits before it. */

interface Found {
  /** Paths that are as the sender has them. */
  readonly same?: readonly string[];
  /** Directories in which something new goes. */
  readonly used?: readonly string[];
  /** Directories of which the sender has told all, and paths that it has there. */
  readonly complete?: readonly string[];
  readonly known?: readonly string[];
  /** Whether entries cannot be kept. */
  readonly isFull?: boolean;
  /** Where it brings something else than a directory. */
  readonly brings?: readonly string[];
}

const step = (kind: Step["kind"], path: string, type: EntryType = EntryType.file): Step => ({
  kind,
  type,
  path,
  metadata: NO_METADATA,
  attributes: undefined,
});
const place = (path: string) => step(StepKind.place, path);
const placeDirectory = (path: string) => step(StepKind.place, path, EntryType.directory);
const finishDirectory = (path: string) => step(StepKind.finish, path, EntryType.directory);
const adjust = (path: string) => step(StepKind.adjust, path, EntryType.directory);
const remove = (path: string) => step(StepKind.remove, path);

/** The result for a transfer that has found something, where another one takes these steps. */
function yielding(here: Readonly<Record<string, string>>, found: Found, ...steps: Step[]): string[] {
  const precedence = new Precedence(new Member().put(here).base);
  for (const path of found.same ?? []) precedence.noteSame(directoryOf(path), nameOf(path));
  for (const path of found.used ?? []) precedence.noteUsed(path);
  for (const path of found.complete ?? []) precedence.noteComplete(path);
  for (const path of found.known ?? []) precedence.noteKnown(directoryOf(path), nameOf(path));
  const calls: string[] = [];
  precedence.yieldTo(steps, {
    keepEntry: (path) => {
      calls.push(`entry ${path}`);
      return found.isFull !== true;
    },
    keepDirectory: (path) => void calls.push(`directory ${path}`),
    bringsOther: (path) => found.brings?.includes(path) === true,
    giveUp: (path) => void calls.push(`give up ${path}`),
  });
  return calls;
}

describe("what another transfer does", () => {
  const here = { a: "a", "d/x": "x", "d/e/y": "y", l: "-> a" };

  test("to entries that this one has not looked at, or brings itself, is no matter", () => {
    assert.deepEqual(
      yielding(here, {}, place("a"), place("new"), remove("l"), remove("d"), adjust("d"), place("d")),
      [],
    );
    assert.deepEqual(
      yielding(here, { same: ["a"] }, place("l"), remove("none"), adjust("a/b"), place("b")),
      [],
    );
  });

  test("to entries that were right is undone: they are kept, where that can be", () => {
    assert.deepEqual(yielding(here, { same: ["a", "l", "d"] }, place("a"), remove("l"), adjust("d")), [
      "entry a",
      "entry l",
      "directory d",
    ]);
    assert.deepEqual(yielding(here, { same: ["a", "l"], isFull: true }, place("a"), remove("l")), [
      "entry a",
      "give up a",
      "entry l",
      "give up l",
    ]);
    assert.deepEqual(yielding(here, { same: ["gone"] }, place("gone"), remove("gone")), []);
  });

  test("to a directory with something right in it, or something new to come, cannot be undone", () => {
    for (const found of [
      { same: ["d"] },
      { same: ["d/x"] },
      { same: ["d/e/y"] },
      { used: ["d"] },
      { used: ["d/e"] },
    ])
      for (const one of [place("d"), remove("d")])
        assert.deepEqual(yielding(here, found, one), ["give up d"]);
    for (const one of [place("d"), remove("d")])
      assert.deepEqual(yielding(here, { same: ["a", "dx"], used: ["", "e"] }, one), []);
  });

  test("to a directory of which the sender has told all is one too many", () => {
    assert.deepEqual(yielding(here, { complete: ["d"] }, place("d/new")), ["give up d/new"]);
    assert.deepEqual(yielding(here, { complete: [""] }, place("new")), ["give up new"]);
    assert.deepEqual(yielding(here, { complete: ["d"], known: ["d/new"] }, place("d/new")), []);
    assert.deepEqual(yielding(here, { complete: ["d"], known: ["d/x"], same: ["d/x"] }, place("d/x")), [
      "entry d/x",
    ]);
    assert.deepEqual(yielding(here, { complete: ["d"] }, place("e/new"), place("new")), []);
  });

  test("with a directory that both make, and this one all of, cannot be undone", () => {
    assert.deepEqual(yielding(here, { complete: ["new"] }, placeDirectory("new")), ["give up new"]);
    assert.deepEqual(yielding(here, { complete: ["d"] }, placeDirectory("a/b")), []);
    assert.deepEqual(yielding(here, { complete: ["new"] }, place("new")), []);
    assert.deepEqual(yielding(here, {}, placeDirectory("new")), []);
  });
});

describe("a directory that the other one had not found yet", () => {
  const here = { "d/x": "x", "d/e/y": "y", "d/e/z": "z" };

  test("is kept with all that is right in it", () => {
    assert.deepEqual(yielding(here, { same: ["d", "d/x", "d/e/y"] }, placeDirectory("d")), [
      "directory d",
      "entry d/x",
      "entry d/e/y",
    ]);
    assert.deepEqual(yielding(here, { same: ["d/e/z"] }, placeDirectory("d")), ["entry d/e/z"]);
    assert.deepEqual(yielding(here, { same: ["d/x"], isFull: true }, placeDirectory("d")), [
      "entry d/x",
      "give up d/x",
    ]);
  });

  test("keeps the directories in it where the other one brings them as such, before or after", () => {
    assert.deepEqual(yielding(here, { same: ["d/e"] }, placeDirectory("d"), finishDirectory("d/e")), [
      "directory d/e",
    ]);
    assert.deepEqual(yielding(here, { same: ["d/e"] }, finishDirectory("d/e"), placeDirectory("d")), [
      "directory d/e",
    ]);
    assert.deepEqual(yielding(here, { same: ["d/e"] }, placeDirectory("d")), ["give up d/e"]);
    assert.deepEqual(yielding(here, { used: ["d/e"] }, placeDirectory("d")), ["give up d/e"]);
    assert.deepEqual(yielding(here, { used: ["d/e"] }, placeDirectory("d"), finishDirectory("d/e")), []);
    assert.deepEqual(yielding(here, { used: ["d"] }, placeDirectory("d")), []);
  });

  test("is given up where this one has told all of it, or of one in it", () => {
    assert.deepEqual(yielding(here, { complete: ["d"], same: ["d"] }, placeDirectory("d")), ["give up d"]);
    assert.deepEqual(yielding(here, { complete: ["d/e"] }, placeDirectory("d")), ["give up d/e"]);
  });
});

/** One transfer that has found the tree to be right, and one that replaces something. */
function two(here: Readonly<Record<string, string>>, own: (push: Push) => void, other: (push: Push) => void) {
  const member = new Member().put(here);
  const later = member.push("t-1", { listsChanges: true });
  own(later);
  const first = member.push("t-2");
  other(first);
  first.prepare();
  return { member, later, first };
}

describe("a transfer that commits later", () => {
  const finds = (push: Push) =>
    push.bring("", [file("a", 3), symlink("l", "a"), directory("d"), file("own", 2)]);
  const here = { a: "aaa", l: "-> a", "d/": "" };
  const replaces = (push: Push) =>
    push.bring("", [file("a", 9), file("l", 1), directory("d", { metadata: meta(0o700) })]);

  for (const isPrepared of [false, true]) {
    test(`brings back what is replaced, ${isPrepared ? "also where it was ready" : "where it was being staged"}`, () => {
      const { member, later, first } = two(here, finds, replaces);
      if (isPrepared) later.prepare();
      later.stage.yieldTo(first.stage.steps());
      first.commit();
      assert.deepEqual([member.text("a"), member.rights("d")], ["a".repeat(9), "700 0:0"]);
      if (!isPrepared) {
        later.prepare();
        assert.deepEqual(member.text(".makuosan/t-1/changes").split("\0").sort(), ["", "a", "l", "own"]);
      }
      later.commit();
      assert.deepEqual(member.tree(), { a: "aaa", "d/": "", l: "-> a", own: "oo" });
      assert.deepEqual(
        [member.rights("d"), member.stats("d")?.mtimeNs, member.stats("a")?.mtimeNs],
        ["755 0:0", TIME_NS, TIME_NS],
      );
    });
  }

  test("and had nothing to do before, is ready with what it brings back", () => {
    for (const isPrepared of [false, true]) {
      const { member, later, first } = two(here, (push) => push.bring("", [file("a", 3)]), replaces);
      if (isPrepared) later.prepare();
      later.stage.yieldTo(first.stage.steps());
      first.commit();
      if (!isPrepared) later.prepare();
      later.commit();
      assert.equal(member.text("a"), "aaa");
      assert.equal(member.has(".makuosan"), false);
    }
  });

  test("keeps what there was before the first of several", () => {
    const { member, later, first } = two(here, finds, replaces);
    later.prepare();
    later.stage.yieldTo(first.stage.steps());
    first.commit();
    const third = member
      .push("t-3")
      .bring("", [file("a", 1), directory("d", { metadata: meta(0o711) })])
      .prepare();
    later.stage.yieldTo(third.stage.steps());
    third.commit();
    later.commit();
    assert.deepEqual([member.text("a"), member.rights("d")], ["aaa", "755 0:0"]);
  });

  test("leaves its own journal as it is where nothing has to be kept", () => {
    const { member, later, first } = two(here, finds, (push) => push.bring("", [file("x", 1)]));
    later.prepare();
    member.disk.lines.length = 0;
    later.stage.yieldTo(first.stage.steps());
    // A start must know that another one has committed meanwhile.
    assert.deepEqual(member.disk.lines, ["make-directory .makuosan/t-1/passed 700"]);
  });

  test("makes its journal longer in one step, which is durable then", () => {
    const { member, later, first } = two(here, finds, replaces);
    later.prepare();
    member.disk.lines.length = 0;
    later.stage.yieldTo(first.stage.steps());
    const calls = member.disk.lines.map((line) =>
      line.replaceAll(".makuosan/t-1", "AREA").replace(/write AREA\/journal .*/, "write AREA/journal"),
    );
    assert.deepEqual(calls, [
      "link a -> AREA/tree/a",
      "link l -> AREA/tree/l",
      "unlink AREA/journal: ENOENT",
      "make-file AREA/journal 600",
      "write AREA/journal",
      "sync-file AREA/journal",
      "rename AREA/journal -> AREA/ready",
      "sync-directory AREA",
      "sync-directory .makuosan",
      "make-directory AREA/passed 700",
    ]);
    const paths = [...later.stage.steps()].map(({ kind, path }) => `${kind} ${path}`);
    assert.deepEqual(paths, ["1 own", "2 d", "1 a", "1 l"]);
  });

  test("fails where something cannot be kept, and stays failed with the first reason", () => {
    const { member, later, first } = two(here, finds, replaces);
    member.memory.before = failKind("link", "EMLINK");
    later.stage.yieldTo(first.stage.steps());
    member.memory.before = undefined;
    later.stage.yieldTo(first.stage.steps());
    assert.throws(() => later.prepare(), /^StageError: a: another transfer has replaced it: push again$/);
    assert.equal(later.stage.commit()?.code, "overtaken");
    finish(later.stage.clean());
    first.commit();
    assert.equal(member.has(".makuosan"), false);
  });

  test("fails where the disk is full; the other one does not", () => {
    const { member, later, first } = two(
      { "d/a": "aaa" },
      (push) => push.bring("d", [file("a", 3)]),
      (push) => push.bring("d", [file("a", 1)]),
    );
    member.memory.before = failKind("makeDirectory", "ENOSPC");
    later.stage.yieldTo(first.stage.steps());
    member.memory.before = undefined;
    first.commit();
    assert.equal(later.stage.commit()?.code, "ENOSPC");
    assert.throws(() => later.prepare(), /no space left/);
  });

  test("has closed its journal where that cannot be made longer", () => {
    const member = new Member({ withLooks: true }).put(here);
    const later = finds(member.push("t-1")).prepare();
    const first = member
      .push("t-2")
      .bring("", [file("a", 9)])
      .prepare();
    member.memory.before = failKind("syncFile", "EIO");
    later.stage.yieldTo(first.stage.steps());
    member.memory.before = undefined;
    first.commit();
    assert.equal(later.stage.commit()?.code, "EIO");
    finish(later.stage.clean());
    assert.equal(member.openHandles, 2);
  });

  test("fails where the other one brings something into a directory that it has told all of", () => {
    const { later, first } = two(
      { "d/a": "aaa" },
      (push) => {
        push.plan({ terms: {} });
        push.bring("d", [file("a", 3), file("b", 2)], { isComplete: true });
      },
      (push) => push.bring("d", [file("new", 1)]),
    );
    later.stage.yieldTo(first.stage.steps());
    assert.throws(() => later.prepare(), /^StageError: d\/new: another transfer has replaced it/);
  });

  test("fails where the other one deletes a directory in which it has only something new", () => {
    const { later, first } = two(
      { "d/a": "aaa", x: "" },
      (push) => push.bring("d", [file("b", 2)]),
      (push) => {
        push.plan({ terms: {} });
        push.entries("", [file("x", 0)], { isComplete: true });
      },
    );
    later.stage.yieldTo(first.stage.steps());
    assert.throws(() => later.prepare(), /^StageError: d: another transfer has replaced it/);
  });

  test("does nothing of that in a dry run", () => {
    const member = new Member().put(here);
    const later = member.push("t-1", { dryRun: true });
    later.entries("", [file("a", 3)]);
    const first = member
      .push("t-2")
      .bring("", [file("a", 9)])
      .prepare();
    member.disk.lines.length = 0;
    later.stage.yieldTo(first.stage.steps());
    assert.deepEqual(member.disk.lines, []);
  });

  test("keeps what it has found in directories, and what the sender may turn out to have all of", () => {
    const { member, later, first } = two(
      { "d/a": "aaa", "d/gone": "" },
      (push) => {
        push.plan({ terms: {} });
        push.bring("d", [file("a", 3), file("b", 2), entry(EntryType.kept, "k")], { isComplete: true });
      },
      (push) => push.bring("d", [file("a", 1), file("b", 1), file("k", 4)]),
    );
    later.prepare();
    later.stage.yieldTo(first.stage.steps());
    first.commit();
    later.commit();
    assert.deepEqual(member.tree(), { "d/": "", "d/a": "aaa", "d/b": "bb", "d/k": "kkkk" });
  });
});
