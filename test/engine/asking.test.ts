import assert from "node:assert/strict";
import { test } from "node:test";
import { sentence } from "../../src/base/reason.ts";
import { MISSED } from "../../src/engine/catch-up/publication-log.ts";
import * as times from "../../src/engine/catch-up/times.ts";
import type { Log } from "../../src/wire/catch-up-messages.ts";
import { begin, HERE, member, publication } from "./catching-node.ts";

/** Questions, answers and promises between a node that lacks something and one that serves. */

type Node = ReturnType<typeof begin>;

const LISTED = { ...HERE, list: "list" };
const KEY = { epoch: member.epoch, transfer: 7, admission: 1 };
const other = {
  ...member,
  epoch: "bb".repeat(8),
  nodeId: "03".repeat(16),
  address: { ip: "10.0.0.3", port: 1 },
};

/** A node that lacks publication 3, and has asked. */
function beginAsking(): Node & { readonly digest: string } {
  const node = begin();
  node.state.members.push(member);
  node.learn(publication(3), MISSED);
  assert.ok(node.said().includes("ask"));
  return { ...node, digest: node.log.digest };
}

function toldBy({ log }: Node, told: Partial<Log> = {}): Log {
  const { digest, highestPlace: place, all } = log;
  const nothing = { behind: 0, lacks: 0, catchesUp: true, asks: false, sinceMs: 0, reason: "" };
  return { place, digest, count: all.length, ...nothing, ...told };
}

function answer({ catchUp, digest }: ReturnType<typeof beginAsking>, reason = ""): void {
  const body = { digest, serves: reason === "", reason };
  catchUp.handle(member, { type: "answer", body }, 0);
}

test("a promise about a former log does not hold a node up", () => {
  const node = beginAsking();
  answer(node);
  node.learn(publication(4, { paths: ["etc"] }), MISSED);
  assert.deepEqual(node.said(), ["log", "ask"]);
});

test("a node that cannot keep its promise says so, and is asked again soon", () => {
  const server = begin([[publication(3), LISTED]]);
  server.state.members.push(member);
  const ask = { type: "ask", body: { digest: server.log.digest, missing: [0] } } as const;
  server.catchUp.handle(member, ask, 0);
  assert.deepEqual(server.said(), ["answer"]);
  server.learn(publication(4), MISSED);
  server.catchUp.tick(times.GATHER_MS);
  assert.equal(server.said().at(-1), "served ");
  const node = beginAsking();
  answer(node);
  const served = { transfer: 0, digest: node.digest, brought: [], reason: "" };
  node.catchUp.handle(member, { type: "served", body: served }, 0);
  node.catchUp.tick(times.SOON_MS);
  assert.deepEqual(node.said(), ["log", "ask"]);
});

test("a transfer that overtakes the answer brings what is missing", () => {
  const node = beginAsking();
  const { catchUp, digest } = node;
  catchUp.onEvent({ kind: "inbound-began", key: KEY, hostName: "host1", dryRun: false }, 0);
  catchUp.onEvent({ kind: "inbound-ended", key: KEY, outcome: "done", reason: "" }, 0);
  const served = { transfer: KEY.transfer, digest, brought: [0], reason: "" };
  node.effects.splice(0);
  catchUp.handle(member, { type: "served", body: served }, 0);
  const events = node.effects.flatMap((effect) => (effect.kind === "event" ? effect.event.kind : []));
  assert.deepEqual(events, ["caught-up"]);
});

test("a push of the member that serves is not taken for the transfer that serves", () => {
  const node = beginAsking();
  const { catchUp, digest } = node;
  answer(node);
  const push = { ...KEY, transfer: 8 };
  for (const key of [KEY, push])
    catchUp.onEvent({ kind: "inbound-began", key, hostName: "host1", dryRun: false }, 0);
  catchUp.onEvent({ kind: "inbound-ended", key: KEY, outcome: "done", reason: "" }, 0);
  node.effects.splice(0);
  const served = { transfer: KEY.transfer, digest, brought: [0], reason: "" };
  catchUp.handle(member, { type: "served", body: served }, 0);
  assert.ok(node.effects.some((effect) => effect.kind === "event" && effect.event.kind === "caught-up"));
});

test("what another push has made old is asked for again soon", () => {
  const node = beginAsking();
  answer(node);
  const { catchUp } = node;
  catchUp.onEvent({ kind: "inbound-began", key: KEY, hostName: "host1", dryRun: false }, 0);
  const reason = sentence("newer-push");
  catchUp.onEvent({ kind: "inbound-ended", key: KEY, outcome: "failed", reason }, 0);
  node.said();
  catchUp.tick(times.SOON_MS);
  assert.deepEqual(node.said(), ["log", "ask"]);
});

test("pushes keep nobody from being served, and the answer has the positions of the question", () => {
  const server = begin([[publication(3), LISTED]]);
  server.state.members.push(member);
  const { catchUp, log } = server;
  const ask = () => ({ type: "ask", body: { digest: log.digest, missing: [0] } }) as const;
  catchUp.handle(member, ask(), 0);
  server.said();
  // One that comes before it in the order, and one that is being received when it is time to begin.
  server.learn(publication(2, { paths: ["etc"] }), LISTED);
  const inbound = { kind: "inbound-began", key: KEY, hostName: "host1", dryRun: false } as const;
  catchUp.onEvent(inbound, 0);
  for (let nowMs = times.GATHER_MS; nowMs < times.GATHER_MOST_MS; nowMs += times.GATHER_MS) {
    catchUp.tick(nowMs);
    assert.ok(!server.said().includes("serve 1"), "what is received may be what is lacked");
  }
  catchUp.tick(times.GATHER_MOST_MS);
  assert.equal(server.said().at(-1), "serve 1");
  server.learn(publication(1, { paths: ["var"] }), LISTED);
  catchUp.serveEnded(1, [1], "", 3_000);
  assert.deepEqual(server.said(), ["served 0"]);
});

test("those who were served together are not gathered again for the rest", () => {
  const server = begin([
    [publication(3), LISTED],
    [publication(4, { paths: ["etc"] }), LISTED],
  ]);
  server.state.members.push(member, other);
  const { catchUp, log } = server;
  const ask = (missing: number[]) => ({ type: "ask", body: { digest: log.digest, missing } }) as const;
  for (const one of [member, other]) catchUp.handle(one, ask([0, 1]), 0);
  catchUp.tick(2 * times.GATHER_MS);
  assert.deepEqual(server.said(), ["answer", "answer", "serve 0 1"]);
  catchUp.serveEnded(1, [0], "", 1_000);
  server.said();
  catchUp.handle(other, ask([1]), 1_000);
  catchUp.tick(1_000);
  assert.deepEqual(server.said(), ["answer"], "the other one may ask, too");
  catchUp.handle(member, ask([1]), 1_001);
  catchUp.tick(1_001);
  assert.deepEqual(server.said(), ["answer", "serve 1"]);
});

test("a member that is asked too early says when it has the same log", () => {
  const server = begin([[publication(3), LISTED]]);
  server.state.members.push(member);
  const later = begin([
    [publication(3), LISTED],
    [publication(4, { paths: ["etc"] }), LISTED],
  ]);
  const body = { digest: later.log.digest, missing: [0] };
  server.catchUp.handle(member, { type: "ask", body }, 0);
  assert.deepEqual(server.said(), ["answer: its log is another one"]);
  server.learn(publication(4, { paths: ["etc"] }), LISTED);
  assert.deepEqual(server.said(), ["log"]);
  // The other one has been refused, and asks again because of that.
  const node = beginAsking();
  node.catchUp.handle(member, { type: "log", body: toldBy(node, { digest: "00".repeat(8) }) }, 0);
  node.said();
  answer(node, "its log is another one");
  assert.deepEqual(node.said(), []);
  node.catchUp.handle(member, { type: "log", body: toldBy(node) }, 0);
  assert.deepEqual(node.said(), ["ask"]);
});

test("a log that changes all the time is told meanwhile", () => {
  const node = begin();
  node.state.members.push(member);
  let told = 0;
  for (let nowMs = 0; nowMs <= 10_000; nowMs += 500) {
    node.log.add(publication(nowMs + 1, { paths: [`p${nowMs}`] }), HERE);
    node.catchUp.logged(nowMs);
    node.catchUp.tick(nowMs);
    told += node.said().filter((type) => type === "log").length;
  }
  assert.ok(told === 3, `told ${told} times`);
});

test("a member that dies while it serves is not waited for: another one is asked", () => {
  const node = beginAsking();
  node.state.members.push(other);
  answer(node);
  const { catchUp } = node;
  catchUp.onEvent({ kind: "inbound-began", key: KEY, hostName: "host1", dryRun: false }, 0);
  const reason = sentence("sender-silent", 15);
  catchUp.onEvent({ kind: "inbound-ended", key: KEY, outcome: "failed", reason }, 15_000);
  node.said();
  catchUp.tick(15_000 + times.ANSWER_MS);
  const [asked] = node.effects.filter(({ kind }) => kind === "send").slice(-1);
  assert.ok(asked?.kind === "send" && asked.message.type === "ask");
  assert.deepEqual(asked.destination, { to: "address", address: other.address });
});

test("a node that does not catch up by itself asks if it is told to, and ends with that", () => {
  const node = begin([], false);
  node.state.members.push(member);
  node.learn(publication(3), MISSED);
  assert.ok(!node.said().includes("ask"));
  node.catchUp.nudge(0);
  assert.deepEqual(node.said(), ["log", "ask"]);
  node.learn(publication(3), HERE);
  node.learn(publication(4), MISSED);
  assert.ok(node.said().includes("ask"), "it has not ended");
});

test("a member that dies before it begins to serve is not waited for", () => {
  const node = beginAsking();
  node.state.members.push(other);
  answer(node);
  const { catchUp } = node;
  const asked: string[] = [];
  for (let nowMs = 0; nowMs < 6_000; nowMs += 500) {
    catchUp.tick(nowMs);
    for (const effect of node.effects.splice(0))
      if (effect.kind === "send" && effect.message.type === "ask" && effect.destination.to === "address")
        asked.push(`${nowMs} ${effect.destination.address === other.address ? "other" : "first"}`);
    // It has answered once more, and no more after that.
    if (nowMs === 2_000)
      catchUp.handle(
        member,
        { type: "answer", body: { digest: node.digest, serves: true, reason: "" } },
        nowMs,
      );
  }
  assert.deepEqual(asked.slice(0, 5), ["2000 first", "4000 first", "4500 first", "5000 first", "5500 other"]);
});

test("a transfer that waits for its turn, and is given up, leaves nobody waiting", () => {
  const node = beginAsking();
  answer(node);
  node.catchUp.onEvent({ kind: "inbound-began", key: KEY, hostName: "host1", dryRun: false }, 100);
  const ended = { kind: "inbound-ended", key: KEY, reason: "" } as const;
  node.catchUp.onEvent({ ...ended, outcome: "yielded" }, 200);
  // Its sender has sent ABORT, and its last word got lost.
  node.said();
  node.catchUp.tick(200 + times.PROMISE_MS);
  assert.equal(node.said().at(-1), "ask");
});

test("an attempt that nobody of the first members could serve goes on with the others", () => {
  const node = begin();
  const members = Array.from({ length: 2 * times.MOST_ASKED + 1 }, (_, index) => {
    const hex = (index + 16).toString(16);
    return {
      ...member,
      epoch: hex.repeat(8),
      nodeId: hex.repeat(16),
      address: { ip: `10.0.1.${index}`, port: 1 },
    };
  });
  node.state.members.push(...members);
  node.learn(publication(3), MISSED);
  const asked = new Set<string>();
  let nowMs = 0;
  for (let round = 0; round < 200 && asked.size < members.length; round++) {
    for (const effect of node.effects.splice(0)) {
      if (effect.kind !== "send" || effect.message.type !== "ask" || effect.destination.to === "group")
        continue;
      const { ip } = effect.destination.address;
      asked.add(ip);
      const body = { digest: node.log.digest, serves: false, reason: "this host lacks it, too" };
      node.catchUp.handle(
        members.find(({ address }) => address.ip === ip)!,
        { type: "answer", body },
        nowMs,
      );
    }
    nowMs = Math.max(nowMs, node.catchUp.nextDeadlineMs());
    node.catchUp.tick(nowMs);
  }
  assert.equal(asked.size, members.length);
});

test("a member that is told to catch up is told again until it says how it stands", () => {
  const node = begin();
  node.state.members.push(member);
  node.catchUp.nudge(0, member);
  assert.deepEqual(node.said(), ["nudge"]);
  node.catchUp.tick(times.NUDGE_MS);
  assert.deepEqual(node.said(), ["nudge"]);
  node.catchUp.handle(member, { type: "log", body: toldBy(node) }, 600);
  node.said();
  node.catchUp.tick(2 * times.NUDGE_MS);
  assert.deepEqual(node.said(), []);
  // And the one that was told answers.
  const told = begin();
  told.state.members.push(member);
  told.catchUp.handle(member, { type: "nudge", body: null }, 0);
  assert.deepEqual(told.said(), ["log"]);
});

test("a log that was under way when a member is told to catch up is no answer", () => {
  const node = begin();
  node.state.members.push(member);
  node.catchUp.nudge(0, member);
  node.catchUp.handle(member, { type: "log", body: toldBy(node) }, 10);
  node.said();
  node.catchUp.tick(times.NUDGE_MS);
  assert.deepEqual(node.said(), ["nudge"]);
});

test("a late answer to an earlier question about a log is none to this one", () => {
  const node = begin();
  node.state.members.push(member);
  const [former, present] = [begin([[publication(1), HERE]]).log, begin([[publication(2), HERE]]).log];
  const questions = () =>
    node.effects
      .splice(0)
      .flatMap((effect) =>
        effect.kind === "send" && effect.message.type === "fetch" ? effect.message.body.question : [],
      );
  const piece = (question: number, { digest, bytes }: typeof former) =>
    ({ type: "piece", body: { question, digest, offset: 0, total: bytes.length, bytes } }) as const;
  const tell = (log: typeof former, nowMs: number) => {
    const body = toldBy(node, { digest: log.digest, count: 1 });
    node.catchUp.handle(member, { type: "log", body }, nowMs);
    node.catchUp.tick(nowMs + times.COMPARE_MS);
    return questions()[0]!;
  };
  const first = tell(former, 0);
  node.catchUp.handle(member, piece(first, former), 400);
  const second = tell(present, 1_000);
  // It was asked twice the first time, and has answered twice.
  node.catchUp.handle(member, piece(first, former), 1_400);
  assert.equal(node.log.all.length, 1);
  node.catchUp.handle(member, piece(second, present), 1_500);
  assert.equal(node.log.all.at(-1)?.publication.number, 2);
});

test("a member that lacks a later publication, too, has not got an earlier one of which that has changed an entry", () => {
  const later = publication(4, { recursive: false });
  const server = begin([
    [publication(3), LISTED],
    [later, LISTED],
  ]);
  server.state.members.push(member, other);
  const ask = (missing: number[]) => ({ type: "ask", body: { digest: server.log.digest, missing } }) as const;
  server.catchUp.handle(member, ask([0]), 0);
  server.catchUp.handle(other, ask([0, 1]), 0);
  for (let nowMs = 0; nowMs <= 10_000; nowMs += 100) server.catchUp.tick(nowMs);
  assert.ok(server.said().includes("serve 0 1"));
  // An entry of the later one was changed by hand; the earlier one had brought it as well.
  server.catchUp.serveEnded(1, [0], "changed", 11_000, [[0, 1]]);
  assert.deepEqual(server.said(), ["served 0", "served "]);
});

test("why nobody brings it is said by the member that has it, whatever others say later, and over why it was missed", () => {
  const node = begin();
  const three = [1, 2, 3].map((number) => ({
    ...{ ...member, epoch: `${number}0`.repeat(8), nodeId: `0${number + 2}`.repeat(16) },
    info: { ...member.info, hostName: `host${number}` },
    address: { ip: `10.0.1.${number}`, port: 1 },
  }));
  node.state.members.push(...three);
  node.learn(publication(3), { ...MISSED, reason: "the sender was silent for 15 seconds" });
  const says = [
    "1 entry is not as published there any more",
    "this host lacks it, too",
    "this host lacks it, too",
  ];
  const reasons = () => node.catchUp.current().reason;
  assert.equal(reasons(), "the sender was silent for 15 seconds");
  for (let round = 0; round < 3; round++) {
    for (const effect of node.effects.splice(0)) {
      if (effect.kind !== "send" || effect.message.type !== "ask" || effect.destination.to === "group")
        continue;
      const { ip } = effect.destination.address;
      const index = three.findIndex(({ address }) => address.ip === ip);
      const body = { digest: node.log.digest, serves: false, reason: says[index] ?? "" };
      node.catchUp.handle(three[index]!, { type: "answer", body }, 0);
    }
  }
  assert.equal(reasons(), "host1: 1 entry is not as published there any more");
  node.log.add(publication(3), HERE);
  node.catchUp.logged(1_000);
  node.learn(publication(4), { ...MISSED, reason: "no space left on the device" });
  assert.equal(reasons(), "no space left on the device");
});
