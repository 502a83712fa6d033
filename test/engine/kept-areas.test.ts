import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { CatchUp } from "../../src/engine/catch-up/catch-up.ts";
import { type Here, MISSED, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import { AREA_LOOK_MS, AREA_MOST_MS, AREA_SENDER_MS } from "../../src/engine/catch-up/times.ts";
import { CommitOrder } from "../../src/engine/commit-order.ts";
import type { Effect, Member } from "../../src/engine/types.ts";
import type { Publication, Scope } from "../../src/wire/publication.ts";

/** What a node makes of the areas that its start has kept. */

const HERE: Here = { atMs: 1, list: "", reason: "" };
const SENDER = "aa".repeat(8);
const SCOPE: Scope = {
  ...{ paths: ["www"], recursive: true, deletes: "nothing", syncs: false, sendsAttributes: false },
  ...{ isPartial: false, excludes: [], targets: [], excepts: [] },
};

function publication(number: number, scope: Partial<Scope> = {}): Publication {
  const names = { nodeId: "01".repeat(16), epoch: SENDER, number, place: number * 10 };
  return { ...names, timeMs: 0, user: "", host: "h", scope: { ...SCOPE, ...scope } };
}

const member: Member = {
  ...{ nodeId: "01".repeat(16), epoch: SENDER, joinedMs: 0, address: { ip: "10.0.0.1", port: 1 } },
  info: { hostName: "host1", version: "1", protocol: 3, receives: true, sends: true, labels: [] },
};

/** A node with a log, at the time 0. */
function begin(kept: readonly (readonly [Publication, Here])[] = []) {
  const log = new PublicationLog({ hostName: "host2", ip: "10.0.0.2", labels: [] });
  for (const [one, here] of kept) log.add(one, here);
  const effects: Effect[] = [];
  const state = { isIdle: true, members: [] as Member[] };
  const catchUp = new CatchUp(
    {
      ...{ selfNodeId: "02".repeat(16), random: new SeededRandom(1), effects, places: new CommitOrder() },
      memberOf: (epoch) => state.members.find((one) => one.epoch === epoch),
      members: () => state.members,
      isHeardSince: () => true,
      isIdle: () => state.isIdle,
    },
    { log, isOn: true, lastEpoch: undefined },
  );
  const learn = (one: Publication, here: Here) => {
    log.add(one, here);
    catchUp.logged(0);
  };
  /** What it asks of the disk and of its members. */
  const asked = () =>
    effects.splice(0).flatMap((effect) => {
      if (effect.kind === "commit") return `commit ${effect.key.transfer} at ${effect.order}`;
      if (effect.kind === "discard") return `discard ${effect.key.transfer}`;
      return effect.kind === "send" && effect.message.type === "ask" ? "ask" : [];
    });
  const names = (...numbers: number[]) => numbers.map((transfer) => ({ epoch: SENDER, transfer }));
  const keyOf = (transfer: number) => ({ epoch: SENDER, transfer, admission: 0 });
  return { log, state, catchUp, learn, asked, names, keyOf };
}

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
