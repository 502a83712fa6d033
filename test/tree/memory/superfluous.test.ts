import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEFAULT_DELETE_LIMIT, type DeleteLimit, Superfluous } from "../../../src/tree/decide/superfluous.ts";
import { LookAlikes } from "../../../src/tree/decide/look-alikes.ts";
import { Protection } from "../../../src/tree/decide/protection.ts";
import { RefusalError } from "../../../src/tree/reasons/stage-error.ts";
import { EntryType } from "../../../src/wire/entry.ts";
import { failKind } from "../../disk/faults.ts";
import {
  directory,
  entry,
  file,
  manifestBlock,
  Member,
  hardLink,
  passage,
  type Push,
  type PushOptions,
  symlink,
  reasonOf,
} from "./member.ts";

/** What goes at a member because its sender does not have it. */

interface Case {
  readonly here: Readonly<Record<string, string>>;
  /** What the sender has in the base directory, complete. */
  readonly sender?: Parameters<Push["entries"]>[1];
  readonly excludes?: readonly string[];
  readonly base?: string;
  readonly own?: readonly string[];
}

function pushOf(
  { here, sender = [], excludes = [], base = "/base", own = [] }: Case,
  more: PushOptions = {},
) {
  const member = new Member().put(here);
  const push = member.push("t-1", { protection: Protection.of(own, "/base"), ...more });
  push.plan({ terms: { base }, excludes });
  push.entries("", sender, { isComplete: true });
  return { member, push };
}

const gone = (one: Case) => pushOf(one).push.findings;

describe("what goes", () => {
  test("is all that is in a directory and not at the sender, with all below it, itself first", () => {
    assert.deepEqual(gone({ here: { "d/e/x": "", "d/y": "", f: "", kept: "" }, sender: [file("kept", 0)] }), [
      "d",
      "d/e",
      "d/y",
      "d/e/x",
      "f",
    ]);
  });

  test("is walked once before the commit", () => {
    const member = new Member({ withLooks: true }).put({ "d/e/x": "", "d/y": "" });
    const push = member.push();
    push.plan({ terms: {} });
    member.disk.lines.length = 0;
    push.entries("", [], { isComplete: true });
    assert.deepEqual(push.findings, ["d", "d/e", "d/y", "d/e/x"]);
    const looks = member.disk.lines.filter((call) => /^(list d|stat d.)/.test(call));
    assert.deepEqual(looks, ["list d", "stat d/e", "stat d/y", "list d/e", "stat d/e/x"]);
    push.stage.clean();
  });

  test("is nothing that the sender has and does not send, or sends as something that cannot be made", () => {
    assert.deepEqual(
      gone({
        here: { a: "", b: "", c: "" },
        sender: [entry(EntryType.kept, "a"), entry(EntryType.fifo, "b")],
      }),
      ["c"],
    );
  });

  test("is not what is staged", () => {
    const member = new Member().put({ ".makuosan/t-0/": "", "d/.makuosan": "", x: "" });
    const push = member.push();
    push.plan({ terms: {} });
    push.entries("", [directory("d")], { isComplete: true });
    push.entries("d", [], { isComplete: true });
    assert.deepEqual(push.findings, ["x", "d/.makuosan"]);
  });

  test("stays where a pattern of either side matches it, with the directories that it is in", () => {
    const here = { "d/e/x.log": "", "d/e/y": "", "d/f/z": "", "d/g": "", "h/i": "" };
    for (const one of [
      { excludes: ["*.log"] },
      { own: ["*.log"] },
      { excludes: ["/d/e/x.log"] },
      { excludes: ["/base/d/e/x.log"] },
    ])
      assert.deepEqual(gone({ here, ...one }), ["d/f", "d/f/z", "d/g", "d/e/y", "h", "h/i"]);
    assert.deepEqual(gone({ here, excludes: ["/other/d/e/x.log"] }).length, 9);
  });

  test("stays with all in it where a pattern matches a directory", () => {
    const here = { "d/cache/x": "", "d/y": "", "cache/z": "", a: "" };
    for (const one of [{ excludes: ["cache/"] }, { own: ["cache/"] }])
      assert.deepEqual(gone({ here, ...one }), ["d/y", "a"]);
    assert.deepEqual(gone({ here: { cache: "" }, excludes: ["cache/"] }), ["cache"], "it is a file here");
  });

  test("may be matched by patterns of several blocks", () => {
    const member = new Member().put({ a: "", b: "", c: "", "d/a": "", "d/e": "" });
    const push = member.push();
    push.plan({ terms: {}, excludes: ["a"] });
    push.plan({ excludes: ["b"] });
    push.entries("", [directory("d")], { isComplete: true });
    assert.deepEqual(push.findings, ["c"]);
    push.plan({ excludes: ["e"], directories: [{ path: "d", entries: [], isComplete: true }] });
    assert.deepEqual(push.findings, ["c"]);
  });

  test("is a single path where that alone was asked for, also of a directory; not where it is not there", () => {
    const member = new Member().put({ "a/x": "", b: "", c: "" });
    const push = member.push();
    push.plan({ terms: {} });
    push.entries("", [entry(EntryType.gone, "a"), entry(EntryType.gone, "none"), entry(EntryType.gone, "b")]);
    push.entries("none", [entry(EntryType.gone, "x")]);
    assert.deepEqual(push.findings, ["a", "a/x", "b"]);
    push.prepare().commit();
    assert.deepEqual(member.tree(), { c: "" });
  });

  test("of a directory whose entries come in two blocks is known when the last has come", () => {
    const member = new Member().put({ a: "", b: "", c: "" });
    const push = member.push();
    push.plan({ terms: {} });
    push.entries("", [file("a", 0)]);
    assert.deepEqual(push.findings, []);
    push.entries("", [file("b", 0)], { isComplete: true });
    assert.deepEqual(push.findings, ["c"]);
  });

  test("of an empty directory is all of it, whatever the directory before had", () => {
    const member = new Member().put({ "d/a": "", "e/a": "" });
    const push = member.push();
    push.plan({ terms: {} });
    push.entries("", [directory("d"), directory("e")]);
    push.entries("d", [file("a", 0)], { isComplete: true });
    push.entries("e", [], { isComplete: true });
    push.entries("none", [], { isComplete: true });
    assert.deepEqual(push.findings, ["e/a"]);
  });

  test("is known for each directory by itself", () => {
    const member = new Member().put({ "d/a": "", "e/a": "", "e/b": "" });
    const push = member.push();
    push.plan({ terms: {} });
    push.entries("d", [file("a", 0)], { isComplete: true });
    push.entries("e", [file("b", 0)], { isComplete: true });
    assert.deepEqual(push.findings, ["e/a"]);
    const superfluous = new Superfluous(member.base, undefined, new LookAlikes(member.base, () => false));
    superfluous.accept(
      { isForced: false, isCheck: false, deletes: true, tellsDigests: false, base: "/" },
      [],
    );
    assert.deepEqual([...superfluous.in("none", () => undefined)], []);
  });

  test("with a passage between the entries of a directory keeps these", () => {
    const member = new Member().put({ "d/a": "", "d/b": "", "w/": "" });
    const push = member.push();
    push.plan({ terms: {} });
    push.plan({
      directories: [
        { path: "d", entries: [file("a", 0)] },
        { path: "", entries: [passage("w")] },
        { path: "d", entries: [file("b", 0)], isComplete: true },
      ],
    });
    assert.deepEqual(push.findings, []);
  });
});

describe("a directory that gives way to a file", () => {
  const replacing = (one: Omit<Case, "sender">) => pushOf({ ...one, sender: [file("d", 0)] });

  test("goes with all in it: told, and counted", () => {
    const { push } = replacing({ here: { "d/e/x": "", "d/y": "" } });
    assert.deepEqual(push.findings, ["d/e", "d/y", "d/e/x"]);
    assert.equal(push.stage.findingCount, 3);
    assert.deepEqual(push.stage.totals, { entries: 4, bytes: 0 });
  });

  test("may come with patterns and without terms", () => {
    const push = new Member().put({ "d/": "" }).push();
    push.plan({ excludes: ["x"] });
    assert.equal(push.entries("", [file("d", 0)]).wants.count(), 1);
  });

  test("stays where nothing is to be deleted, unless it is empty", () => {
    for (const terms of [undefined, { deletes: false }]) {
      for (const dryRun of [false, true]) {
        for (const one of [file("d", 0), symlink("d", "x"), entry(EntryType.fifo, "d"), hardLink("d", "e")]) {
          const push = new Member().put({ "d/x": "", e: "" }).push("t-1", { dryRun });
          if (terms !== undefined) push.plan({ terms });
          assert.equal(
            reasonOf(() => push.entries("", [one])),
            "d: not-empty",
          );
        }
      }
    }
    const push = new Member().put({ "d/": "" }).push();
    push.bring("", [file("d", 0)]).prepare();
    push.commit();
    assert.deepEqual(push.findings, []);
  });

  test("is told in a check, where nothing changes anyway", () => {
    const push = new Member().put({ "d/x": "" }).push("t-1", { dryRun: true });
    push.plan({ terms: { isCheck: true, deletes: false } });
    push.entries("", [file("d", 0)]);
    assert.deepEqual(push.findings, ["d/x"]);
  });

  test("stays where the sender's patterns match the directory itself", () =>
    assert.equal(
      reasonOf(() => replacing({ here: { "d/x": "" }, excludes: ["d/"] })),
      "d: holds-excluded",
    ));

  test("stays where something in it is excluded", () => {
    assert.equal(
      reasonOf(() => replacing({ here: { "d/e/x.log": "" }, excludes: ["*.log"] })),
      "d: holds-excluded",
    );
    assert.equal(
      reasonOf(() => replacing({ here: { "d/e/x.log": "" }, own: ["*.log"] })),
      "d: holds-protected",
    );
  });
});

describe("the limit", () => {
  /** @param count of entries that go, beside `same` that stay */
  const excessOf = (deleteLimit: DeleteLimit, count: number, same: number, isForced = false) => {
    const member = new Member();
    member.put(Object.fromEntries(Array.from({ length: count }, (_, index) => [`gone${index}`, ""])));
    member.put(Object.fromEntries(Array.from({ length: same }, (_, index) => [`same${index}`, ""])));
    const push = member.push("t-1", { deleteLimit });
    push.plan({ terms: { isForced } });
    const entries = Array.from({ length: same }, (_, index) => file(`same${index}`, 0));
    push.entries("", entries, { isComplete: true });
    try {
      push.prepare();
      return undefined;
    } catch (error) {
      if (error instanceof RefusalError) return error.reason.args.join(" ");
      throw error;
    }
  };

  test("is a number of entries at least", () => {
    assert.equal(excessOf({ entries: 3, percent: 10 }, 3, 0), undefined);
    assert.equal(excessOf({ entries: 3, percent: 10 }, 4, 0), "4 4 3");
    assert.equal(excessOf({ entries: 0, percent: undefined }, 1, 9), "1 10 0");
    assert.equal(excessOf({ entries: 3, percent: undefined }, 3, 100), undefined);
    assert.equal(excessOf({ entries: 3, percent: undefined }, 4, 100), "4 104 3");
  });

  test("is a share of all that is looked at, if that is more", () => {
    assert.equal(excessOf({ entries: 1, percent: 50 }, 5, 5), undefined);
    assert.equal(excessOf({ entries: 1, percent: 50 }, 6, 5), "6 11 5");
    assert.equal(excessOf({ entries: 0, percent: 0 }, 1, 50), "1 51 0");
    assert.equal(excessOf({ entries: 1, percent: 50 }, 100, 100), undefined);
    assert.equal(excessOf({ entries: 1, percent: 50 }, 101, 100), "101 201 100");
    assert.equal(excessOf({ entries: 0, percent: 100 }, 5, 0), undefined);
  });

  test("is half of the entries, and a hundred in any case, where a member does not say", () => {
    assert.deepEqual(DEFAULT_DELETE_LIMIT, { entries: 100, percent: 50 });
    assert.equal(excessOf(DEFAULT_DELETE_LIMIT, 101, 0), "101 101 100");
    assert.equal(excessOf(DEFAULT_DELETE_LIMIT, 100, 0), undefined);
  });

  test("does not hold where the sender forces it", () => {
    assert.equal(excessOf({ entries: 0, percent: 0 }, 5, 0, true), undefined);
  });

  test("counts what goes in directories, and the directories that stay for what is in them", () => {
    const none = { deleteLimit: { entries: 0, percent: 0 } };
    const argsOf = (one: Case) => {
      try {
        pushOf(one, none).push.prepare();
      } catch (error) {
        if (error instanceof RefusalError) return error.reason.args.join(" ");
      }
      return undefined;
    };
    assert.equal(argsOf({ here: { "d/e/x": "", "d/y": "" } }), "4 4 0");
    assert.equal(argsOf({ here: { "d/e/x.log": "", "d/e/y": "", "d/z": "" }, excludes: ["*.log"] }), "2 4 0");
    assert.equal(argsOf({ here: { "d/x": "", "d/y": "" }, sender: [file("d", 0)] }), "2 3 0");
    assert.equal(argsOf({ here: { "d/cache/x": "", "d/y": "" }, excludes: ["cache/"] }), "1 2 0");
    assert.equal(argsOf({ here: { a: "", b: "" }, sender: [file("a", 0)] }), "1 2 0");
  });
});

describe("the sender's terms and patterns", () => {
  test("must come before a delete", () => {
    for (const entries of [[entry(EntryType.gone, "a")], []]) {
      const push = new Member().put({ a: "" }).push();
      assert.equal(
        reasonOf(() => push.entries("", entries, { isComplete: entries.length === 0 })),
        "undefined: deletes-without-terms",
      );
    }
  });

  test("hold as they came first", () => {
    const member = new Member().put({ a: "" });
    const push = member.push("t-1", { deleteLimit: { entries: 0, percent: 0 } });
    push.plan({ terms: { isForced: true } });
    push.plan({ terms: { isForced: false } });
    push.entries("", [], { isComplete: true });
    push.prepare();
  });

  test("may be of twice the bytes that one list may have, and no more", () => {
    const pattern = (length: number) => "p".repeat(length);
    const push = new Member().push();
    push.plan({ terms: {} });
    for (let bytes = 0; bytes < 512 * 1024; bytes += 4_096) push.plan({ excludes: [pattern(4_095)] });
    assert.equal(
      reasonOf(() => push.plan({ excludes: [""] })),
      "undefined: too-many-patterns",
    );
    const many = new Member().put({ a: "" }).push();
    many.plan({ terms: {} });
    for (let count = 0; count < 67; count++) many.plan({ excludes: [pattern(4_000)] });
    assert.equal(
      reasonOf(() => many.entries("", [], { isComplete: true })),
      "undefined: bad-pattern",
    );
  });

  test("that no pattern can be are refused where they are needed", () => {
    const push = new Member().put({ a: "" }).push();
    push.plan({ terms: {}, excludes: ["/"] });
    assert.equal(
      reasonOf(() => push.entries("", [], { isComplete: true })),
      "undefined: bad-pattern",
    );
  });
});

test("others have their turn while many entries are looked at, and between two that go", () => {
  const here = Object.fromEntries(Array.from({ length: 4_100 }, (_, index) => [`d/${index}`, ""]));
  const turnsOf = (sender: Case["sender"]) => {
    const push = new Member().put({ ...here, x: "" }).push("t-1", { dryRun: true });
    push.plan({ terms: {} });
    const block = manifestBlock({ directories: [{ path: "", entries: sender ?? [], isComplete: true }] });
    let turns = 0;
    const steps = push.stage.plan(block);
    while (steps.next().done !== true) turns++;
    return turns;
  };
  assert.equal(turnsOf([]), 4);
  assert.equal(turnsOf([file("d", 0)]), 3);
});

test("what vanishes while it is looked at is no failure; a directory that cannot be read is", () => {
  const member = new Member().put({ "d/e/x": "", f: "" });
  member.memory.before = failKind("list", "ENOENT");
  const push = member.push("t-1", { dryRun: true });
  push.plan({ terms: {} });
  push.entries("", [entry(EntryType.gone, "d")]);
  assert.deepEqual(push.findings, ["d"]);
  member.memory.before = failKind("list", "EACCES");
  assert.equal(
    reasonOf(() => push.entries("", [entry(EntryType.gone, "d")])),
    "d: EACCES",
  );
});
