import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { reason } from "../../../src/base/reason.ts";
import { FindingList } from "../../../src/tree/apply/findings.ts";
import { Tally } from "../../../src/tree/apply/tally.ts";
import type { Decision, Outcome } from "../../../src/tree/decide/decision.ts";
import { NO_EXTRAS } from "../../../src/wire/entry.ts";
import { findingBytes, FindingKind, makeFinding } from "../../../src/wire/findings.ts";
import { FINDING_BYTES } from "../../../src/wire/limits.ts";
import { directory, file, meta } from "./member.ts";

/** What a member has to tell of a transfer. */

describe("findings", () => {
  const unlisted = (deletes: number, notes = 0) =>
    `the list has no room for ${deletes} more deletes and ${notes} more notes; the same is done with them`;
  const pathsOf = (list: FindingList, first: number, most: number) =>
    list.from(first, most).map(({ path, text }) => path || text);

  test("are told from any number on, as many as are asked for", () => {
    const list = new FindingList();
    assert.deepEqual([list.count, list.from(0, 10)], [0, []]);
    for (const path of ["a", "b", "c"]) list.add(FindingKind.superfluous, path);
    list.add(FindingKind.note, "d", "why");
    assert.equal(list.count, 4);
    assert.deepEqual(pathsOf(list, 0, 10), ["a", "b", "c", "d"]);
    assert.deepEqual(pathsOf(list, 1, 2), ["b", "c"]);
    assert.deepEqual(pathsOf(list, 4, 2), []);
    assert.deepEqual(list.from(3, 1), [{ kind: FindingKind.note, path: "d", text: "why" }]);
    assert.deepEqual(list.from(0, 1), [{ kind: FindingKind.superfluous, path: "a", text: "" }]);
  });

  test("take bounded memory: those beyond are counted, and told as one at the end", () => {
    const list = new FindingList();
    const path = "p".repeat(1_000);
    const each = findingBytes(makeFinding(FindingKind.superfluous, path));
    // The first that goes past the bound is the last that is kept.
    const kept = Math.floor(FINDING_BYTES / each) + 1;
    for (let index = 0; index < kept; index++) list.add(FindingKind.superfluous, path);
    assert.equal(list.count, kept);
    list.add(FindingKind.superfluous, "one more");
    assert.equal(list.count, kept + 1);
    assert.deepEqual(pathsOf(list, kept - 1, 2), [path, unlisted(1)]);
    list.add(FindingKind.superfluous, "and another");
    assert.equal(list.count, kept + 1);
    assert.deepEqual(pathsOf(list, kept - 1, 2), [path, unlisted(2)]);
    assert.deepEqual(pathsOf(list, kept - 1, 1), [path]);
    assert.deepEqual(pathsOf(list, kept, 1), [unlisted(2)]);
    assert.deepEqual(pathsOf(list, kept - 2, 1), [path]);
    list.add(FindingKind.note, "a", "why");
    assert.deepEqual(list.from(kept, 1), [{ kind: FindingKind.note, path: "", text: unlisted(2, 1) }]);
  });

  test("that come to the bound exactly leave room for one more, and with a byte more they do not", () => {
    const each = findingBytes(makeFinding(FindingKind.note, ""));
    const rest = FINDING_BYTES % 1_005;
    for (const excess of [0, 1]) {
      const list = new FindingList();
      for (let bytes = 0; bytes + 1_005 <= FINDING_BYTES; bytes += 1_005)
        list.add(FindingKind.superfluous, "p".repeat(1_000));
      list.add(FindingKind.superfluous, "r".repeat(rest - each + excess));
      const { count } = list;
      list.add(FindingKind.superfluous, "last");
      assert.equal(list.count, count + 1);
      assert.deepEqual(pathsOf(list, count, 5), [excess === 0 ? "last" : unlisted(1)]);
    }
  });
});

describe("a tally", () => {
  const place = { number: 0, path: "d/a", hasRealParent: true };
  const told = (decision: Decision, outcome: Outcome = "done") => {
    const tally = new Tally();
    const paths = [...tally.note(decision, outcome)];
    const { entries, bytes } = tally.totals;
    return {
      paths,
      entries,
      bytes,
      findings: tally.findings.from(0, 9).map(({ kind, path, text }) => `${kind} ${path} ${text}`),
    };
  };
  const NOTHING = { paths: [], entries: 0, bytes: 0, findings: [] };
  const sparse = { extras: { ...NO_EXTRAS, allocated: 8 } };

  test("counts what is made: its bytes are those that have to come", () => {
    const one = { paths: ["d/a"], entries: 1, findings: [] };
    assert.deepEqual(told({ kind: "place", lookAlikes: [], place, entry: file("a", 7) }), {
      ...one,
      bytes: 7,
    });
    assert.deepEqual(told({ kind: "place", lookAlikes: [], place, entry: file("a", 700, sparse) }), {
      ...one,
      bytes: 8,
    });
    assert.deepEqual(told({ kind: "place", lookAlikes: [], place, entry: directory("a", { size: 5 }) }), {
      ...one,
      bytes: 0,
    });
    assert.deepEqual(told({ kind: "copy", place, entry: file("a", 7) }), { ...one, bytes: 0 });
    assert.deepEqual(told({ kind: "link", place, entry: file("a", 7) }), { ...one, bytes: 0 });
  });

  test("does not count what was not done", () => {
    assert.deepEqual(
      told({ kind: "place", lookAlikes: [], place, entry: file("a", 7) }, "left out"),
      NOTHING,
    );
    assert.deepEqual(told({ kind: "copy", place, entry: file("a", 7) }, "needs contents"), NOTHING);
  });

  test("counts a directory that differs itself, and not one that only has others in it", () => {
    const set = { metadata: meta(), attributes: undefined };
    assert.deepEqual(told({ kind: "adjust", path: "d", set, isEntry: true }), {
      ...NOTHING,
      paths: ["d"],
      entries: 1,
    });
    assert.deepEqual(told({ kind: "adjust", path: "d", set, isEntry: false }), NOTHING);
  });

  test("tells each path that goes, and counts those that are deleted", () => {
    for (const [kind, path] of [
      ["remove", "d"],
      ["goes", "d/a"],
    ] as const)
      assert.deepEqual(told({ kind, path }), {
        paths: [path],
        entries: 1,
        bytes: 0,
        findings: [`1 ${path} `],
      });
  });

  test("tells why something is left out or refused, with the path once", () => {
    assert.deepEqual(told({ kind: "skip", path: "s", reason: reason("cannot-be-made") }), {
      ...NOTHING,
      findings: ["2 s this member cannot make it, so it is left out"],
    });
    assert.deepEqual(told({ kind: "refuse", reason: reason("EACCES", "d") }), {
      ...NOTHING,
      findings: ["2 d permission denied"],
    });
    assert.deepEqual(told({ kind: "refuse", reason: reason("EACCES") }), {
      ...NOTHING,
      findings: ["2  permission denied"],
    });
  });

  test("adds up", () => {
    const tally = new Tally();
    for (const size of [5, 6])
      assert.equal(
        [...tally.note({ kind: "place", lookAlikes: [], place, entry: file("a", size) }, "done")].length,
        1,
      );
    assert.deepEqual(tally.totals, { entries: 2, bytes: 11 });
  });
});
