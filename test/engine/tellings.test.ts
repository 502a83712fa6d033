import assert from "node:assert/strict";
import { test } from "node:test";
import { MISSED } from "../../src/engine/catch-up/publication-log.ts";
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
