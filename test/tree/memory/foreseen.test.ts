import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StageError } from "../../../src/tree/reasons/stage-error.ts";
import { type Entry, EntryType } from "../../../src/wire/entry.ts";
import { type InodeMarks } from "../../disk/memory-machine.ts";
import { directory, entry, file, Member, meta, type Push, symlink } from "./member.ts";

/** Everything that a commit could not carry out is known before the barrier, and told the same by a dry run. */

const HERE = { "d/f": "f", "d/in/g": "g", f: "f" };

/** The refusal of a push and of a dry run: both are the same. */
function refusalOf(marked: string, marks: InodeMarks, work: (push: Push) => unknown): string {
  const [push, dryRun] = [false, true].map((isDry) => {
    const member = new Member().put(HERE);
    const [way = "", name = ""] = marked.includes("/") ? marked.split(/\/(?=[^/]*$)/) : ["", marked];
    member.in(way, (parent, disk) => disk.mark(parent, name, marks));
    const one = member.push("t-1", { dryRun: isDry });
    one.plan({ terms: {} });
    try {
      work(one);
      if (!isDry) {
        one.prepare();
        one.commit();
      }
      return "none";
    } catch (error) {
      if (error instanceof StageError) return `${error.reason.path}: ${error.reason.code}`;
      throw error;
    }
  });
  assert.equal(push, dryRun);
  return push ?? "";
}

const into =
  (path: string, ...entries: Entry[]) =>
  (push: Push) =>
    push.bring(path, entries, path === "" ? {} : { metadata: meta(0o755) });
const gone = (path: string) => (push: Push) => push.entries("", [entry(EntryType.gone, path)]);

describe("an immutable entry", () => {
  const marks = { isImmutable: true };
  const cases: readonly (readonly [string, string, (push: Push) => unknown, string])[] = [
    ["a file that is replaced", "f", into("", file("f", 2)), "f: immutable"],
    ["a file that is deleted", "f", gone("f"), "f: immutable"],
    ["a file deep in a directory that is deleted", "d/in/g", gone("d"), "d/in/g: immutable"],
    ["a file in a directory that is replaced", "d/in/g", into("", symlink("d", "f")), "d/in/g: immutable"],
    ["a directory that gets a file", "d", into("d", file("new", 1)), "d: immutable"],
    [
      "a directory that gets other attributes",
      "d",
      into("", directory("d", { metadata: meta(0o700) })),
      "d: immutable",
    ],
    ["a directory that is deleted", "d", gone("d"), "d: immutable"],
    ["a file that stays as it is", "f", into("", file("new", 1)), "none"],
  ];
  for (const [what, marked, work, code] of cases)
    test(what, () => assert.equal(refusalOf(marked, marks, work), code));
});

describe("an append-only entry", () => {
  const marks = { isAppendOnly: true };
  const cases: readonly (readonly [string, string, (push: Push) => unknown, string])[] = [
    ["a file that is replaced", "f", into("", file("f", 2)), "f: append-only"],
    ["a file in a directory that is deleted", "d/f", gone("d"), "d/f: append-only"],
    ["a directory in which a file is replaced", "d", into("d", file("f", 2)), "d: append-only"],
    ["a directory whose time would be set", "d", into("d", file("new", 1)), "d: append-only"],
  ];
  for (const [what, marked, work, code] of cases)
    test(what, () => assert.equal(refusalOf(marked, marks, work), code));
});

test("a directory of another quota project", () => {
  const marks = { project: 7 };
  assert.equal(refusalOf("d", marks, into("d", file("new", 1))), "d: other-project");
  assert.equal(refusalOf("d", marks, into("", file("new", 1))), "none");
});

test("a push without --delete says of a directory with entries that it stays", () => {
  for (const dryRun of [false, true]) {
    const push = new Member().put(HERE).push("t-1", { dryRun });
    assert.throws(
      () => push.bring("", [symlink("d", "elsewhere")]),
      /^StageError: d: it is a directory on this member that is not empty: add --delete if/,
    );
  }
});
