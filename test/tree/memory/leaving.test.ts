import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ManifestRecord } from "../../../src/tree/apply/manifest-record.ts";
import { keyOf, Listed, PublishedList, readList } from "../../../src/tree/entries/published-list.ts";
import { EntryType } from "../../../src/wire/entry.ts";
import { directory, entry, file, Member, meta, type Push } from "./member.ts";

/** A transfer that brings earlier pushes leaves alone what later ones have brought meanwhile. */

class Recorded implements ManifestRecord {
  readonly list = new PublishedList();
  readonly isCatchUp: boolean;
  readonly trustsForce = true;

  constructor(isCatchUp: boolean) {
    this.isCatchUp = isCatchUp;
  }

  note: ManifestRecord["note"] = ({ directories }) => {
    for (const one of directories) this.list.note(one);
  };

  withdraw(): void {
    assert.fail("nothing is withdrawn");
  }

  get rows() {
    const rows = readList(Buffer.from(this.list.finish() ?? []));
    assert.ok(rows !== undefined);
    return rows;
  }
}

type Bring = (push: Push) => unknown;

interface Case {
  readonly here: Readonly<Record<string, string>>;
  /** What is brought, as it was published before. */
  readonly missed: Bring;
  /** A push that is committed after that was compared, or before. */
  readonly pushed: Bring;
  readonly isBefore?: boolean;
}

/** The member after both, and the record of the transfer that was brought. */
function after({ here, missed, pushed, isBefore = false }: Case) {
  const member = new Member().put(here);
  const [brought, later] = [new Recorded(true), new Recorded(false)];
  const catchUp = member.push("t-1", { manifest: brought });
  catchUp.plan({ terms: { isForced: true } });
  if (!isBefore) missed(catchUp);
  const push = member.push("t-2", { manifest: later });
  push.plan({ terms: { isForced: true } });
  pushed(push);
  push.prepare();
  assert.equal(catchUp.stage.yieldTo(push.stage.steps()), undefined);
  push.commit();
  if (isBefore) missed(catchUp);
  catchUp.prepare();
  catchUp.stage.leaveTo(() => [later.rows]);
  return { member, catchUp, brought, later };
}

function treeAfter(one: Case): Record<string, string> {
  const { member, catchUp } = after(one);
  catchUp.commit();
  return member.tree();
}

const gone = (name: string) => entry(EntryType.gone, name);
const WHOLE = { isComplete: true };

describe("what was pushed since", () => {
  for (const isBefore of [false, true]) {
    const when = isBefore ? "before it was compared" : "after it was compared";
    test(`stays: files, links and deletes, ${when}`, () => {
      const tree = treeAfter({
        here: { "www/a": "old", "www/b": "old", "www/x": "old" },
        missed: (push) => push.bring("www", [file("a", 5), file("b", 4), file("c", 2), file("x", 7)]),
        pushed: (push) =>
          push.bring("www", [file("a", 9), gone("x"), entry(EntryType.symlink, "b", { target: "a" })]),
        isBefore,
      });
      assert.deepEqual(tree, { "www/": "", "www/a": "a".repeat(9), "www/b": "-> a", "www/c": "cc" });
    });

    test(`stays where the other one has told all of a directory, ${when}`, () => {
      const tree = treeAfter({
        here: { "www/a": "old", "www/old": "old" },
        missed: (push) => push.bring("www", [file("a", 5)], WHOLE),
        pushed: (push) => push.bring("www", [file("new", 3)]),
        isBefore,
      });
      assert.deepEqual(tree, { "www/": "", "www/a": "aaaaa", "www/new": "nnn" });
    });
  }

  test("stays also where it had nothing to change", () => {
    const tree = treeAfter({
      here: { "www/a": "aaa" },
      missed: (push) => push.bring("www", [file("a", 5), file("b", 2)]),
      pushed: (push) => push.bring("www", [file("a", 3)]),
    });
    assert.deepEqual(tree, { "www/": "", "www/a": "aaa", "www/b": "bb" });
  });

  test("stays in a directory that both make; the other one brings the rest of it", () => {
    const tree = treeAfter({
      here: {},
      missed: (push) => {
        push.bring("", [directory("d", { metadata: meta(0o750) })]);
        push.bring("d", [file("a", 5), file("b", 2), directory("e")]);
        push.bring("d/e", [file("x", 3), file("y", 3)]);
      },
      pushed: (push) => {
        push.bring("", [directory("d", { metadata: meta(0o711) })]);
        push.bring("d", [file("a", 1), directory("e")]);
        push.bring("d/e", [file("x", 1)]);
      },
    });
    const names = { "d/": "", "d/a": "a", "d/b": "bb", "d/e/": "", "d/e/x": "x", "d/e/y": "yyy" };
    assert.deepEqual(tree, names);
  });

  test("stays with the attributes of its directories", () => {
    const { member, catchUp } = after({
      here: { "d/a": "a", "e/a": "a" },
      missed: (push) =>
        push.bring("", [
          directory("d", { metadata: meta(0o750) }),
          directory("e", { metadata: meta(0o750) }),
        ]),
      pushed: (push) => push.bring("", [directory("d", { metadata: meta(0o711) })]),
    });
    catchUp.commit();
    assert.deepEqual([member.rights("d"), member.rights("e")], ["711 0:0", "750 0:0"]);
  });

  for (const [what, name, size] of [
    ["made something, and", "new", 3],
    ["changed something, and", "a", 4],
    ["changed nothing, and has not", "a", 3],
  ] as const)
    test(`has ${what} set the time of its directory`, () => {
      const [early, late] = [3_000_000_000n, 4_000_000_000n].map((mtimeNs) => ({
        metadata: meta(0o750, { mtimeNs }),
      }));
      const { member, catchUp } = after({
        here: { "www/a": "old", "www/sub/x": "old" },
        missed: (push) => {
          push.bring("", [directory("www", early)]);
          push.bring("www", [file("a", 5), file("b", 2), directory("sub", early)], early);
          push.bring("www/sub", [file("x", 5)], early);
        },
        pushed: (push) => {
          push.bring("", [entry(EntryType.passage, "www", late)]);
          push.bring("www", [file(name, size)], late);
        },
      });
      catchUp.commit();
      assert.equal(member.stats("www")?.mtimeNs, (what.endsWith("not") ? early : late)?.metadata.mtimeNs);
      assert.equal(member.rights("www"), "750 0:0");
      assert.equal(member.stats("www/sub")?.mtimeNs, early?.metadata.mtimeNs);
    });

  test("stays where it has another type", () => {
    const tree = treeAfter({
      here: { "f/x": "x", g: "g" },
      missed: (push) => {
        push.bring("", [directory("f"), file("g", 5)]);
        push.bring("f", [file("x", 5), file("y", 5)]);
      },
      pushed: (push) => {
        push.bring("", [file("f", 1), directory("g")]);
        push.bring("g", [file("in", 2)]);
      },
    });
    assert.deepEqual(tree, { f: "f", "g/": "", "g/in": "ii" });
  });

  test("has deleted directories into which the other one would bring something", () => {
    const tree = treeAfter({
      here: { "www/d/a": "old", "www/e/a": "old", "www/k": "k" },
      missed: (push) => {
        push.bring("www/d", [file("a", 5)]);
        push.bring("www/e", [file("a", 5)]);
      },
      pushed: (push) => push.bring("www", [directory("e"), file("k", 1)], WHOLE),
    });
    assert.deepEqual(tree, { "www/": "", "www/e/": "", "www/e/a": "aaaaa", "www/k": "k" });
  });
});

test("a directory that is to be deleted, and into which something was pushed since, ends the transfer before its commit", () => {
  const { member, catchUp } = after({
    here: { "www/d/a": "old", "www/b": "b" },
    missed: (push) => push.bring("www", [file("b", 1)], WHOLE),
    pushed: (push) => push.bring("www/d", [file("new", 3)]),
  });
  assert.equal(catchUp.stage.commit()?.code, "overtaken");
  assert.deepEqual(member.tree("www"), { b: "b", "d/": "", "d/a": "old", "d/new": "nnn" });
});

test("a start after a crash goes on with the steps that were left", () => {
  const { member, catchUp } = after({
    here: { "www/a": "old" },
    missed: (push) => push.bring("www", [file("a", 5), file("b", 2)]),
    pushed: (push) => push.bring("www", [file("a", 1)]),
  });
  const paths = [...catchUp.stage.steps()].map(({ path }) => path);
  assert.deepEqual(paths.sort(), ["www", "www/b"]);
  catchUp.commit();
  assert.equal(member.text("www/a"), "a");
});

test("the list of what was brought leaves to the later push what is its own", () => {
  const { brought, later } = after({
    here: { "www/old": "o", "www/d/x": "x" },
    missed: (push) => {
      push.bring("www", [file("a", 5), file("b", 2), directory("d")], WHOLE);
      push.bring("www/d", [file("x", 2)]);
    },
    pushed: (push) => push.bring("www", [file("a", 1), file("new", 1), gone("d")]),
  });
  brought.list.leaveTo([later.rows]);
  const said = new Map<number, number[]>();
  let place = 0;
  for (const { kind, key } of brought.rows) {
    if (kind === Listed.directory) place = key;
    else if (kind !== Listed.likeness) said.set(key, [...(said.get(key) ?? []), kind, place]);
  }
  const of = (path: string) => said.get(keyOf(path));
  const www = keyOf("www");
  assert.deepEqual(of("www/a"), [Listed.kept, www, Listed.kept, www]);
  assert.deepEqual(of("www/b"), [Listed.given, www]);
  assert.deepEqual(of("www/new"), [Listed.kept, www], "it is none of what is superfluous in the directory");
  assert.deepEqual(of("www/d/x"), [Listed.kept, keyOf("www/d")], "it was not brought");
  assert.ok(of("www")?.includes(Listed.complete));
});
