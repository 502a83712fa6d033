import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { reason } from "../../src/base/reason.ts";
import type { HostVerdict, SendResult } from "../../src/console/protocol.ts";
import { judge, type Push, type Tree } from "./judge.ts";
import { edit, MIXTURE, NOTHING, SLOTS, valueOf } from "./slots.ts";

/** The judge of chaos runs has to see each kind of fault, and nothing else. */

const verdict = (host: string, outcome: HostVerdict["outcome"], when: "before" | "during" = "before") => ({
  host,
  address: "",
  outcome,
  reason: outcome === "failed" ? "no" : "",
  ...(outcome === "failed" ? { cause: { ...reason("EIO"), when } } : {}),
});

function resultOf(...hosts: HostVerdict[]): SendResult {
  const exitStatus = hosts.every(({ outcome }) => outcome === "done") ? 0 : 3;
  return { exitStatus, hosts, aborted: undefined } as unknown as SendResult;
}

function push(
  number: number,
  sender: string,
  result: SendResult | undefined,
  more: Partial<Push> = {},
): Push {
  const times = { beganMs: number * 10, endedMs: number * 10 + 5 };
  return { number, sender, slots: ["a"], ...times, result, omitted: [], ...more };
}

const trees = (values: Readonly<Record<string, number>>): Map<string, Tree> =>
  new Map(Object.entries(values).map(([host, value]) => [host, new Map([["a", value]])]));
const BEFORE = trees({ h1: 1, h2: 1, h3: 1 });
const problemsOf = (pushes: readonly Push[], after: Readonly<Record<string, number>>) =>
  judge(pushes, BEFORE, trees(after));

describe("the judge of a chaos run", () => {
  const done = resultOf(verdict("h2", "done"), verdict("h3", "done"));
  const failed = resultOf(verdict("h2", "done"), verdict("h3", "failed"));

  test("accepts what the verdicts say", () => {
    assert.deepEqual(problemsOf([push(2, "h1", done)], { h1: 2, h2: 2, h3: 2 }), []);
    assert.deepEqual(problemsOf([push(2, "h1", failed)], { h1: 2, h2: 2, h3: 1 }), []);
    for (const h2 of [1, 2])
      assert.deepEqual(problemsOf([push(2, "h1", undefined)], { h1: 2, h2, h3: 1 }), []);
  });

  test("finds verdicts that are not true", () => {
    assert.match(problemsOf([push(2, "h1", done)], { h1: 2, h2: 2, h3: 1 })[0] ?? "", /says that it is done/);
    assert.match(
      problemsOf([push(2, "h1", failed)], { h1: 2, h2: 2, h3: 2 })[0] ?? "",
      /says that it is not/,
    );
    const aborted = { ...done, exitStatus: 6, aborted: "no" };
    assert.match(
      problemsOf([push(2, "h1", aborted)], { h1: 2, h2: 2, h3: 1 })[0] ?? "",
      /says that it is not/,
    );
    const silent = { ...failed, exitStatus: 0 };
    assert.match(problemsOf([push(2, "h1", silent)], { h1: 2, h2: 2, h3: 1 })[0] ?? "", /ends with 0/);
  });

  test("finds values that no push has made", () => {
    assert.match(problemsOf([push(2, "h1", done)], { h1: 2, h2: 2, h3: 9 })[0] ?? "", /no push has made it/);
    assert.match(problemsOf([push(2, "h1", done)], { h1: 2, h2: MIXTURE, h3: 2 })[0] ?? "", /mixture/);
    const partly = resultOf(verdict("h2", "failed", "during"), verdict("h3", "done"));
    assert.deepEqual(problemsOf([push(2, "h1", partly)], { h1: 2, h2: MIXTURE, h3: 2 }), []);
  });

  test("a host that has failed may have the push later, if it catches up", () => {
    const pushes = [push(2, "h1", failed)];
    const after = { h1: 2, h2: 2, h3: 2 };
    assert.match(problemsOf(pushes, after)[0] ?? "", /says that it is not there/);
    assert.deepEqual(judge(pushes, BEFORE, trees(after), true), []);
    // It still must not go back where it was done.
    assert.match(judge(pushes, BEFORE, trees({ ...after, h2: 1 }), true)[0] ?? "", /says that it is done/);
  });

  test("finds that two hosts have had two orders", () => {
    const one = push(2, "h1", resultOf(verdict("h3", "done"), verdict("h4", "done")));
    const two = push(3, "h2", resultOf(verdict("h3", "done"), verdict("h4", "done")));
    const before = trees({ h3: 1, h4: 1 });
    assert.deepEqual(judge([one, two], before, trees({ h3: 3, h4: 3 })), []);
    assert.match(judge([one, two], before, trees({ h3: 3, h4: 2 }))[0] ?? "", /no order of the commits/);
  });

  test("allows that a push has sent the value of another one, which came in between", () => {
    const other = push(2, "h1", resultOf(verdict("h2", "done"), verdict("h3", "failed")), { endedMs: 100 });
    const carrier = push(3, "h2", resultOf(verdict("h1", "done"), verdict("h3", "done")));
    assert.deepEqual(problemsOf([other, carrier], { h1: 2, h2: 2, h3: 2 }), []);
  });
});

test("a slot has the value that was put into it, whatever was there", () => {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-slots-"));
  const [slot] = SLOTS;
  assert.equal(valueOf(base, slot), NOTHING);
  for (const number of [1, 2, 3, 4, 5, 7, 9, 12, 6]) {
    edit(base, slot, number);
    assert.equal(valueOf(base, slot), number);
  }
  fs.writeFileSync(path.join(base, slot, "v5"), "");
  assert.equal(valueOf(base, slot), MIXTURE);
  assert.deepEqual(fs.readdirSync(base), [slot]);
  fs.rmSync(base, { recursive: true });
});
