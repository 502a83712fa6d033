import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { Membership } from "../../src/engine/membership/membership.ts";
import type { Effect } from "../../src/engine/types.ts";
import { CANDIDATES, MEMBERS } from "../../src/wire/limits.ts";
import { NO_NONCE } from "../../src/wire/membership-messages.ts";
import type { ControlMessage } from "../../src/wire/message.ts";

/** Membership at its bounds: how often a silent node is questioned, how many nodes there may be, when silence ends it. */

const INFO = { hostName: "host", version: "1", protocol: 3, receives: true, sends: true, labels: [] };
const HELLO: ControlMessage = { type: "hello", body: { info: INFO } };

const SELF = {
  nodeId: "f".repeat(32),
  epoch: "f".repeat(16),
  address: { ip: "10.255.0.1", port: 5000 },
};

/** The middle of all that can be drawn. */
const MIDDLE = { u32: () => 2 ** 31 };

function peer(index: number) {
  return { nodeId: index.toString(16).padStart(32, "0"), epoch: index.toString(16).padStart(16, "0") };
}

function address(index: number) {
  return { ip: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, port: 5000 };
}

/** The way from another node to this one. */
function routeFrom(index: number) {
  return { to: SELF.epoch, from: address(index) };
}

function take(membership: Membership): Effect[] {
  const effects: Effect[] = [];
  for (let effect = membership.poll(); effect !== undefined; effect = membership.poll()) effects.push(effect);
  return effects;
}

/** The nonces of the challenges that it says. */
function challenges(membership: Membership): string[] {
  return take(membership).flatMap((effect) =>
    effect.kind === "send" && effect.message.type === "challenge" ? [effect.message.body.nonce] : [],
  );
}

/** Lets it go from one deadline to the next; when it said challenges, and which. */
function questions(membership: Membership, endMs: number): { atMs: number; nonce: string }[] {
  const found: { atMs: number; nonce: string }[] = [];
  for (let nowMs = membership.nextDeadlineMs(); nowMs <= endMs; nowMs = membership.nextDeadlineMs()) {
    membership.tick(nowMs);
    for (const nonce of challenges(membership)) found.push({ atMs: nowMs, nonce });
  }
  return found;
}

function join(membership: Membership, index: number, nowMs = 0): void {
  membership.handle(peer(index), address(index), HELLO, nowMs);
  membership.tick(nowMs + 10_000);
  const nonce = challenges(membership).at(-1) ?? "";
  const body = { answer: nonce, nonce: NO_NONCE, ...routeFrom(index), info: INFO };
  membership.handle(peer(index), address(index), { type: "response", body }, nowMs);
}

test("a silent node is questioned six times, 400 ms apart, and from the beginning when it is heard again", () => {
  const membership = new Membership(SELF, INFO, MIDDLE);
  assert.equal(membership.nextDeadlineMs(), Infinity);
  membership.handle(peer(1), address(1), HELLO, 1000);
  assert.equal(membership.nextDeadlineMs(), 1010, "half of 20 ms");
  membership.tick(1009.9);
  assert.deepEqual(challenges(membership), []);
  const first = questions(membership, 100_000);
  assert.deepEqual(
    first.map(({ atMs }) => atMs),
    [1010, 1410, 1810, 2210, 2610, 3010],
  );
  assert.equal(new Set(first.map(({ nonce }) => nonce)).size, 1, "one nonce");
  assert.equal(membership.nextDeadlineMs(), Infinity, "it is forgotten");
  membership.handle(peer(1), address(1), HELLO, 200_000);
  assert.equal(questions(membership, 300_000).length, 6);
});

test("the more members there are, the longer a new node may wait for its question", () => {
  const membership = new Membership(SELF, INFO, MIDDLE);
  for (let index = 1; index <= 40; index++) join(membership, index);
  assert.equal(membership.size, 40);
  take(membership);
  membership.handle(peer(100), address(100), HELLO, 20_000);
  assert.equal(membership.nextDeadlineMs(), 20_000 + (20 + 40 * 0.5) / 2);
});

test("one that questions is answered at once with a nonce, and questioned itself only after 400 ms", () => {
  const membership = new Membership(SELF, INFO, new SeededRandom(1));
  const challenge: ControlMessage = {
    type: "challenge",
    body: { nonce: "1".repeat(32), ...routeFrom(1), isMissed: false, info: INFO },
  };
  membership.handle(peer(1), address(1), challenge, 1000);
  const [answer] = take(membership);
  assert.ok(answer?.kind === "send" && answer.message.type === "response");
  assert.equal(answer.message.body.answer, "1".repeat(32));
  assert.notEqual(answer.message.body.nonce, NO_NONCE);
  assert.equal(membership.nextDeadlineMs(), 1400);
  const body = { answer: answer.message.body.nonce, nonce: NO_NONCE, ...routeFrom(1), info: INFO };
  membership.handle(peer(1), address(1), { type: "response", body }, 1001);
  assert.equal(membership.size, 1);
  assert.equal(membership.nextDeadlineMs(), Infinity);
  take(membership);
  membership.handle(peer(1), address(1), challenge, 1002);
  const [second] = take(membership);
  assert.ok(second?.kind === "send" && second.message.type === "response");
  assert.equal(second.message.body.nonce, NO_NONCE, "a member need not prove itself again");
});

test("an answer to another nonce, or of another node, proves nothing", () => {
  const membership = new Membership(SELF, INFO, new SeededRandom(1));
  membership.handle(peer(1), address(1), HELLO, 0);
  membership.tick(100);
  const [nonce = ""] = challenges(membership);
  const respond = (nodeId: string, answer: string) =>
    membership.handle(
      { ...peer(1), nodeId },
      address(1),
      { type: "response", body: { answer, nonce: NO_NONCE, ...routeFrom(1), info: INFO } },
      101,
    );
  respond(peer(1).nodeId, "0".repeat(32));
  respond(peer(2).nodeId, nonce);
  assert.equal(membership.size, 0);
  assert.deepEqual(take(membership), [], "nobody asked anything");
  respond(peer(1).nodeId, nonce);
  assert.equal(membership.size, 1);
});

test("no more nodes are questioned at a time than there is room for", () => {
  const membership = new Membership(SELF, INFO, MIDDLE);
  for (let index = 0; index <= CANDIDATES; index++) membership.handle(peer(index), address(index), HELLO, 0);
  membership.tick(1000);
  assert.equal(challenges(membership).length, CANDIDATES);
  membership.handle(peer(0), address(0), { type: "exit", body: null }, 1000);
  membership.handle(peer(CANDIDATES), address(CANDIDATES), HELLO, 1000);
  membership.tick(1100);
  assert.equal(challenges(membership).length, 1, "one has left, and another one comes");
});

test("there are no more members than there is room for", () => {
  const membership = new Membership(SELF, INFO, MIDDLE);
  for (let index = 0; index <= MEMBERS; index++) join(membership, index);
  assert.equal(membership.size, MEMBERS);
});

test("messages that nobody takes do not pile up without end", () => {
  const membership = new Membership(SELF, INFO, MIDDLE);
  const challenge: ControlMessage = {
    type: "challenge",
    body: { nonce: "1".repeat(32), ...routeFrom(1), isMissed: false, info: INFO },
  };
  for (let count = 0; count < 5 * CANDIDATES; count++)
    membership.handle(peer(1), address(1), challenge, count);
  assert.equal(take(membership).length, 4 * CANDIDATES + 1);
});

test("after a goodbye nothing more is planned", () => {
  const membership = new Membership(SELF, INFO, MIDDLE);
  membership.start(0);
  membership.handle(peer(1), address(1), HELLO, 0);
  membership.stop();
  assert.equal(membership.nextDeadlineMs(), Infinity);
  membership.tick(100_000);
  assert.deepEqual(
    take(membership).map((effect) => (effect.kind === "send" ? effect.message.type : effect.kind)),
    ["exit", "exit", "exit"],
  );
});

test("HELLO is said four times after the start, ALIVE every 10 to 20 s, and silence is looked for every 5 s", () => {
  for (const [drawn, aliveMs] of [
    [0, 10_000],
    [2 ** 31, 15_000],
    [2 ** 32 - 1, 20_000],
  ] as const) {
    const membership = new Membership(SELF, INFO, { u32: () => drawn });
    membership.start(100);
    const said: [number, string][] = [];
    const ticks = new Set<number>();
    for (let nowMs = membership.nextDeadlineMs(); nowMs <= 45_100; nowMs = membership.nextDeadlineMs()) {
      ticks.add(nowMs);
      membership.tick(nowMs);
      for (const effect of take(membership))
        if (effect.kind === "send") said.push([nowMs, effect.message.type]);
    }
    const at = (type: string) => said.flatMap(([atMs, one]) => (one === type ? [atMs] : []));
    assert.deepEqual(at("hello"), [100, 400, 1100, 3100]);
    const alives = Math.floor(45_000 / aliveMs);
    assert.deepEqual(
      at("alive").map((ms) => Math.round(ms)),
      Array.from({ length: alives }, (_, index) => 100 + (index + 1) * aliveMs),
    );
    for (let ms = 5_100; ms <= 45_100; ms += 5_000) assert.ok(ticks.has(ms), `${ms}`);
  }
});

test("a member is silent when nothing has been heard of it for a minute, and any word of it counts", () => {
  const membership = new Membership(SELF, INFO, MIDDLE);
  membership.start(0);
  join(membership, 1, 2_000);
  join(membership, 2, 2_000);
  const left = () =>
    take(membership).flatMap((effect) =>
      effect.kind === "event" && effect.event.kind === "member-left"
        ? [`${Number(effect.event.member.epoch)} ${effect.event.reason}`]
        : [],
    );
  left();
  membership.handle(peer(2), address(2), { type: "inquiry", body: { transfer: 1, first: 0 } }, 12_000);
  membership.tick(61_900);
  assert.deepEqual(left(), []);
  membership.tick(67_000);
  assert.deepEqual(left(), ["1 silence"]);
  membership.tick(71_999);
  assert.deepEqual(left(), [], "it looks every five seconds");
  membership.tick(72_000);
  assert.deepEqual(left(), ["2 silence"]);
  membership.tick(140_000);
  assert.deepEqual(left(), [], "once");
});

test("a node that moves before it is questioned is questioned at its new address", () => {
  const membership = new Membership(SELF, INFO, MIDDLE);
  membership.handle(peer(1), address(1), HELLO, 0);
  membership.handle(peer(1), address(7), HELLO, 1);
  membership.tick(20);
  const [challenge] = take(membership);
  assert.ok(challenge?.kind === "send" && challenge.destination.to === "address");
  assert.deepEqual(challenge.destination.address, address(7));
});

test("a node that introduces itself once more says HELLO as at its start", () => {
  const membership = new Membership(SELF, INFO, MIDDLE);
  membership.reintroduce(SELF.address, 500);
  const hellos: number[] = [];
  for (let nowMs = membership.nextDeadlineMs(); nowMs < Infinity; nowMs = membership.nextDeadlineMs()) {
    membership.tick(nowMs);
    hellos.push(...take(membership).map(() => nowMs));
  }
  assert.deepEqual(hellos, [500, 800, 1500, 3500]);
});

test("HELLO and ALIVE of a member are signs of life", () => {
  for (const type of ["hello", "alive"] as const) {
    const membership = new Membership(SELF, INFO, MIDDLE);
    membership.start(0);
    join(membership, 1, 2_000);
    membership.handle(peer(1), address(1), { type, body: { info: INFO } }, 30_000);
    membership.tick(89_999);
    assert.equal(membership.size, 1);
    membership.tick(95_000);
    assert.equal(membership.size, 0);
  }
});

test("a member may say something else of itself at any time", () => {
  const membership = new Membership(SELF, INFO, MIDDLE);
  join(membership, 1);
  const info = { ...INFO, labels: ["web"] };
  membership.handle(peer(1), address(1), { type: "alive", body: { info } }, 100);
  assert.deepEqual(membership.memberOf(peer(1).epoch)?.info, info);
});

test("a member that is probed is questioned, and has been heard when it answers", () => {
  const membership = new Membership(SELF, INFO, new SeededRandom(1));
  membership.handle(peer(1), address(1), HELLO, 0);
  const answer = (nowMs: number) => {
    membership.tick(nowMs);
    const nonce = challenges(membership).at(-1) ?? "";
    const body = { answer: nonce, nonce: NO_NONCE, ...routeFrom(1), info: INFO };
    membership.handle(peer(1), address(1), { type: "response", body }, nowMs);
  };
  answer(100);
  assert.equal(membership.size, 1);
  membership.probe([peer(1).epoch, peer(2).epoch], 5_000);
  assert.ok(!membership.isHeardSince(peer(1).epoch, 5_000));
  answer(5_100);
  assert.ok(membership.isHeardSince(peer(1).epoch, 5_000));
  assert.ok(!membership.isHeardSince(peer(2).epoch, 0));
});
