import assert from "node:assert/strict";
import { test } from "node:test";
import { MISSED } from "../../src/engine/catch-up/publication-log.ts";
import { WithoutLog } from "../../src/engine/catch-up/without-log.ts";
import type { Effect, Member } from "../../src/engine/types.ts";
import { begin, HERE, member, publication } from "./catching-node.ts";

/** Which words of a node about its log the group still needs. */

/** A node that has told all of a push, and a member that tells the same log all the time. */
function told() {
  const node = begin([[publication(1), HERE]]);
  node.state.members.push(member);
  const wordsUntil = (fromMs: number, toMs: number) => {
    const reasons: string[] = [];
    const others = { type: "log", body: { ...node.catchUp.current(), reason: "" } } as const;
    for (let nowMs = fromMs; nowMs < toMs; nowMs += 500) {
      node.catchUp.handle(member, others, nowMs);
      node.catchUp.tick(nowMs);
      for (const effect of node.effects.splice(0))
        if (effect.kind === "send" && effect.destination.to === "group" && effect.message.type === "log")
          reasons.push(effect.message.body.reason);
    }
    return reasons;
  };
  return { ...node, wordsUntil };
}

test("what was changed by hand is told, also while others tell the same log", () => {
  const { catchUp, learn, wordsUntil } = told();
  learn(publication(2), HERE);
  wordsUntil(0, 20_000);
  catchUp.drifted("2 entries are not as published here", 20_000);
  const words = wordsUntil(20_000, 30_000);
  assert.ok(words.includes("2 entries are not as published here"), words.join());
  catchUp.drifted("", 30_000);
  assert.ok(wordsUntil(30_000, 40_000).includes(""), "and that it is as published again");
});

test("a node that has got what it lacked says so, also while others tell the same log", () => {
  const { catchUp, learn, log, wordsUntil } = told();
  learn(publication(2), HERE);
  wordsUntil(0, 40_000);
  learn(publication(3), MISSED);
  // Before it has told that it lacks something.
  log.add(publication(3), HERE);
  catchUp.logged(40_000);
  assert.notDeepEqual(wordsUntil(40_000, 43_000), []);
});

test("after a silence of all, a member that keeps a log is asked, also if one that keeps none is heard first", () => {
  const node = begin([[publication(1), HERE]]);
  const old: Member = {
    ...{ ...member, epoch: "bb".repeat(8), nodeId: "03".repeat(16) },
    ...{ address: { ip: "10.0.0.3", port: 1 }, info: { ...member.info, hostName: "host3", protocol: 2 } },
  };
  node.state.members.push(old, member);
  for (const one of [old, member]) node.catchUp.onEvent({ kind: "member-joined", member: one }, 0);
  const fetch = { type: "fetch", body: { question: 1, digest: "", offset: 0 } } as const;
  node.catchUp.handle(old, fetch, 0);
  node.catchUp.handle(member, { type: "log", body: node.catchUp.current() }, 0);
  for (let nowMs = 0; nowMs < 40_000; nowMs += 500) node.catchUp.tick(nowMs);
  node.effects.splice(0);
  node.catchUp.handle(old, fetch, 40_000);
  node.catchUp.handle(member, fetch, 41_000);
  for (let nowMs = 41_000; nowMs < 50_000; nowMs += 500) node.catchUp.tick(nowMs);
  const asked = node.effects.filter(
    (effect) => effect.kind === "send" && effect.message.type === "log" && effect.message.body.asks,
  );
  assert.notEqual(asked.length, 0);
});

test("a member that keeps no log says so, and is left in peace, also after a silence and when it is to catch up", () => {
  const node = begin([[publication(1), HERE]]);
  node.state.members.push(member);
  const answers: Effect[] = [];
  const other = new WithoutLog(answers);
  let words = 0;
  const run = (fromMs: number, toMs: number) => {
    words = 0;
    for (let nowMs = fromMs; nowMs < toMs; nowMs += 500) {
      node.catchUp.tick(nowMs);
      for (const effect of node.effects.splice(0)) {
        if (effect.kind !== "send") continue;
        words++;
        other.handle(member, effect.message);
      }
      for (const effect of answers.splice(0))
        if (effect.kind === "send") node.catchUp.handle(member, effect.message, nowMs);
    }
    return words;
  };
  node.catchUp.onEvent({ kind: "member-joined", member }, 0);
  assert.equal(run(0, 5_000), 2, "its log, and a question");
  assert.equal(run(5_000, 1_200_000), 0);
  const alive = { type: "fetch", body: { question: 1, digest: "", offset: 0 } } as const;
  node.catchUp.handle(member, alive, 1_200_000);
  node.effects.splice(0);
  assert.equal(run(1_200_000, 2_400_000), 0);
  node.catchUp.nudge(2_400_000, member);
  assert.equal(run(2_400_000, 2_500_000), 1);
});
