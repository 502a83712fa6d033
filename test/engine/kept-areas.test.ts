import assert from "node:assert/strict";
import { test } from "node:test";
import { MISSED } from "../../src/engine/catch-up/publication-log.ts";
import { AREA_LOOK_MS, AREA_MOST_MS, AREA_SENDER_MS } from "../../src/engine/catch-up/times.ts";
import { begin, HERE, member, publication } from "./catching-node.ts";

/** What a node makes of the areas that its start has kept. */

test("an area is committed when its publication is learned, and until then nothing is asked for", () => {
  const { catchUp, learn, asked, names, keyOf, state } = begin();
  catchUp.keepAreas(names(3), 0);
  assert.deepEqual(asked(), []);
  state.members.push(member);
  learn(publication(3), MISSED);
  assert.deepEqual(asked(), ["commit 3 at 30"]);
  catchUp.tick(5_000);
  assert.deepEqual(asked(), []);
  learn(publication(3), HERE);
  catchUp.committed(keyOf(3), 5_000);
  catchUp.tick(AREA_MOST_MS);
  assert.deepEqual(asked(), []);
});

test("nothing is asked for while the start still looks at what was left", () => {
  const { catchUp, learn, asked, state } = begin([], true, true);
  state.members.push(member);
  learn(publication(3), MISSED);
  catchUp.nudge(0);
  catchUp.tick(60_000);
  assert.deepEqual(asked(), []);
  catchUp.keepAreas([], 60_000);
  catchUp.tick(120_000);
  assert.deepEqual(asked(), ["ask"]);
});

test("an area that could not be committed is asked for", () => {
  const { catchUp, learn, asked, names, keyOf, state } = begin();
  state.members.push(member);
  catchUp.keepAreas(names(3), 0);
  learn(publication(3), MISSED);
  assert.deepEqual(asked(), ["commit 3 at 30"]);
  catchUp.committed(keyOf(3), 100);
  assert.deepEqual(asked(), ["ask"]);
  // The answer of the disk about another transfer says nothing of it.
  catchUp.committed(keyOf(3), 100);
  assert.deepEqual(asked(), []);
});

test("an area is discarded if something of the same paths came later, or if it is for others", () => {
  for (const [first, second] of [
    [publication(3), publication(4, { paths: ["www/a"] })],
    [publication(3), publication(4, { paths: [""] })],
  ] as const) {
    const { catchUp, learn, asked, names } = begin([[second, HERE]]);
    catchUp.keepAreas(names(3), 0);
    learn(first, MISSED);
    assert.deepEqual(asked(), ["discard 3"]);
  }
  const { catchUp, learn, asked, names } = begin();
  catchUp.keepAreas(names(3), 0);
  learn(publication(3, { targets: ["other"] }), MISSED);
  assert.deepEqual(asked(), ["discard 3"]);
});

test("an area is committed beside later pushes of other paths", () => {
  const { catchUp, learn, asked, names } = begin([[publication(4, { paths: ["etc"] }), HERE]]);
  catchUp.keepAreas(names(3), 0);
  learn(publication(3), MISSED);
  assert.deepEqual(asked(), ["commit 3 at 30"]);
});

test("an area is discarded if a later push, which is missed, has covered one that has taken effect", () => {
  const exact = { deletes: "also" } as const;
  const { catchUp, learn, asked, names, log } = begin([[publication(4, { paths: ["www/a"] }), HERE]]);
  catchUp.keepAreas(names(3), 0);
  learn(publication(5, { ...exact, paths: ["www/a"] }), MISSED);
  assert.equal(log.all.length, 1);
  learn(publication(3), MISSED);
  assert.deepEqual(asked(), ["discard 3"]);
});

test("areas are committed in their order, one after the other, and beside no transfer", () => {
  const { catchUp, learn, asked, names, keyOf, state } = begin([
    [publication(4, { paths: ["etc"] }), MISSED],
    [publication(3), MISSED],
  ]);
  state.isIdle = false;
  catchUp.keepAreas(names(4, 3), 0);
  assert.deepEqual(asked(), []);
  state.isIdle = true;
  catchUp.tick(catchUp.nextDeadlineMs());
  assert.deepEqual(asked(), ["commit 3 at 30"]);
  learn(publication(3), HERE);
  catchUp.committed(keyOf(3), 0);
  assert.deepEqual(asked(), ["commit 4 at 40"]);
});

test("an area that nobody knows of is discarded after its time, which is short if its sender is there", () => {
  const alone = begin();
  alone.catchUp.keepAreas(alone.names(3), 0);
  alone.catchUp.tick(AREA_MOST_MS - AREA_LOOK_MS);
  assert.deepEqual(alone.asked(), []);
  alone.catchUp.tick(AREA_MOST_MS);
  assert.deepEqual(alone.asked(), ["discard 3"]);
  assert.equal(alone.catchUp.nextDeadlineMs() === Infinity, true);
  for (const isSame of [true, false]) {
    const { catchUp, asked, names, state, log } = begin([[publication(1, { paths: ["x"] }), HERE]]);
    state.members.push(member);
    catchUp.keepAreas(names(3), 0);
    const digest = isSame ? log.digest : "00".repeat(8);
    const told = {
      place: 10,
      digest,
      count: 1,
      behind: 0,
      lacks: 0,
      catchesUp: true,
      asks: false,
      sinceMs: 0,
      reason: "",
    };
    catchUp.handle(member, { type: "log", body: told }, 0);
    catchUp.tick(AREA_SENDER_MS - AREA_LOOK_MS);
    assert.deepEqual(asked(), []);
    catchUp.tick(AREA_SENDER_MS);
    // A log that this node has not read may name the transfer.
    assert.deepEqual(asked(), isSame ? ["discard 3"] : []);
  }
});
