import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import { type Mutation, MutationFinder } from "./mutations.ts";
import { report } from "./report.ts";
import { suiteOf } from "./suites.ts";
import { Survivors } from "./survivors.ts";
import { type Judged, judgeFiles } from "./trial.ts";

const ROOT = path.dirname(path.dirname(import.meta.dirname));
const FILE = "test/mutants/fixture/discount.ts";

/** All mutants of the fixture, judged once. */
let judged: Judged[] = [];

before(async () => {
  const common = {
    root: ROOT,
    suite: suiteOf(FILE),
    files: [FILE],
    jobs: 2,
    endMs: Infinity,
    slowestMs: Infinity,
  };
  judged = await judgeFiles({ ...common, isWanted: () => true, onJudged: () => undefined });
});

/** What became of the mutants whose change is this. */
function outcomesOf(change: string): string[] {
  return judged.filter(({ mutation }) => mutation.change === change).map(({ outcome }) => outcome);
}

test("a fault that a test notices is caught, and the test is named", () => {
  assert.deepEqual(outcomesOf("items >= 10  ->  items < 10"), ["caught"]);
  const found = judged.find(({ mutation }) => mutation.change === "items >= 10  ->  items < 10");
  assert.match(found?.by ?? "", /^a dozen is cheaper: AssertionError/);
});

test("a fault that no test notices survives, and so does one that no test comes by", () => {
  assert.deepEqual(outcomesOf("items >= 10  ->  items > 10"), ["survived"]);
  assert.deepEqual(outcomesOf("cents === 0  ->  cents !== 0"), ["survived"]);
});

test("a fault in what runs while the module is loaded is caught", () => {
  assert.deepEqual(outcomesOf("100  ->  100 + 1"), ["caught"]);
});

test("a loop that does not end is ended", () => {
  assert.deepEqual(outcomesOf("rest -= rest / 2  ->  rest += rest / 2"), ["time limit"]);
});

test("no mutant comes out otherwise beside others than alone", async () => {
  const common = {
    root: ROOT,
    suite: suiteOf(FILE),
    files: [FILE],
    jobs: 1,
    endMs: Infinity,
    slowestMs: Infinity,
  };
  const { mutation, outcome } = judged.find((one) => one.mutation.kind === "boundary")!;
  const isWanted = (one: Mutation) => one.change === mutation.change;
  const alone = await judgeFiles({ ...common, isWanted, onJudged: () => undefined });
  assert.deepEqual(
    alone.map((one) => one.outcome),
    [outcome],
  );
});

test("enough must be caught, and each survivor needs a reason", () => {
  const few = judged.filter(({ outcome }) => outcome === "survived").slice(0, 1);
  const caught = judged.filter(({ outcome }) => outcome === "caught");
  const [{ mutation }] = few as [Judged];
  const list = `${mutation.file}\n  code:   ${mutation.code}\n  change: ${mutation.change}\n  why:    no matter\n`;
  const many = [...caught, ...caught, ...few];
  assert.equal(report(many, new Survivors(list)).isGood, true);
  assert.equal(report(many, new Survivors("")).isGood, false);
  assert.equal(report([...caught.slice(0, 5), ...few], new Survivors(list)).isGood, false);
});

test("the list of survivors is read as it is written", () => {
  const text = readFileSync(path.join(import.meta.dirname, "survivors.txt"), "utf8");
  assert.doesNotThrow(() => new Survivors(text));
  assert.throws(() => new Survivors("src/a.ts\n  code:   a < b\n  change: a  ->  b\n"), /not whole/);
});

/** The changes that are made of a text. */
function changesOf(text: string): string[] {
  const sites = [...new MutationFinder("a.ts", text).sites.values()].flat();
  return sites.flatMap(({ mutations }) => mutations.map(({ change }) => change));
}

test("each kind of fault is made", () => {
  const cases: [text: string, ...changes: string[]][] = [
    ["x = a < b;", "x = a < b;  ->  (removed)", "a < b  ->  a <= b", "a < b  ->  a >= b"],
    ["const x = a && b;", "a && b  ->  a || b"],
    ["const x = a ?? b;", "a ?? b  ->  a"],
    ["const x = 3n;", "3n  ->  3n + 1n", "3n  ->  3n - 1n"],
    ["const x = a ? b : c;", "a  ->  !(a)"],
    ["const x = !a;", "!a  ->  a"],
    ["const x = true;", "true  ->  false"],
    ["const x = a >>> b;", "a >>> b  ->  a << b"],
    ["const f = (): boolean => { return a; };", "{ ... }  ->  {}", "a  ->  !(a)"],
    ["const f = (): number => { return a; };", "{ ... }  ->  {}", "a  ->  (a) + 1"],
    ["a ??= b;", "a ??= b;  ->  (removed)", "a ??= b  ->  a = b"],
  ];
  for (const [text, ...changes] of cases) assert.deepEqual(changesOf(text), changes, text);
});

test("types, and sentences for people, are left alone", () => {
  for (const text of [
    "type T = 1 | 2;",
    'const x = "a" + b;',
    "const x = `${a + 1}`;",
    "const e = new DecodeError(a ? b : c);",
    "const o = { 1: a };",
    'import { a } from "b";',
  ])
    assert.deepEqual(changesOf(text), [], text);
  assert.deepEqual(changesOf('assert(a, b ? "c" : "d");'), ['assert(a, b ? "c" : "d");  ->  (removed)']);
  assert.deepEqual(changesOf("throw fault(a + 1);"), ["throw fault(a + 1);  ->  (removed)"]);
});
