import assert from "node:assert/strict";
import { test } from "node:test";
import { type CatchUpParts, CatchUpKeeper } from "../../src/daemon/catch-up/catch-up-keeper.ts";
import { reason } from "../../src/base/reason.ts";
import type { SendRequest } from "../../src/console/protocol.ts";
import type { TransferServer } from "../../src/daemon/catch-up/publication-hearer.ts";
import type { SourceRules, StageAnswer } from "../../src/daemon/disk/messages.ts";
import type { Driver } from "../../src/daemon/pump/driver.ts";
import {
  FORMER,
  type Here,
  type Kept,
  MISSED,
  PublicationLog,
} from "../../src/engine/catch-up/publication-log.ts";
import type { Origin } from "../../src/wire/origin.ts";
import type { Publication } from "../../src/wire/publication.ts";
import { member, publication } from "../engine/catching-node.ts";

/** What this host has missed must not overtake what it has: the log says so, and pushes that are not in it yet. */

const PUSH = { epoch: "b".repeat(16), transfer: 4, admission: 1 };
const BROUGHT = { epoch: "c".repeat(16), transfer: 7, admission: 1 };

function keeper() {
  const log = new PublicationLog({ hostName: "host2", ip: "10.0.0.2", labels: [] });
  const learn = (one: Publication, here: Here) => {
    log.add(one, here);
    log.noteState();
  };
  learn(publication(1), MISSED);
  const engine = { catchUp: { log }, isIdle: false };
  const identity = { nodeId: "02".repeat(16), epoch: "d".repeat(16) };
  const parts = { engine, identity, settings: { base: "/" }, file: undefined };
  const one = new CatchUpKeeper(parts as unknown as CatchUpParts);
  const hold = (answer: object) => one.hold(answer as StageAnswer, () => assert.fail("nothing is held back"));
  const prepare = (origin: Origin) => hold({ kind: "prepared", inbound: BROUGHT, origin });
  /** What is decided so far: the lists that the commit leaves alone, or why there is none. */
  const decide = () => {
    const decided: (readonly string[] | string)[] = [];
    one.decide(BROUGHT, ({ veto, later }) => decided.push(veto?.code ?? later));
    return decided;
  };
  return { one, log, learn, hold, prepare, decide };
}

const LISTED = { atMs: 5, list: "later", reason: "" };

test("what was missed is committed if it was gathered for the log of now", () => {
  const { prepare, decide, log } = keeper();
  prepare({ kind: "catch-up", digest: log.digest });
  assert.deepEqual(decide(), [[]]);
  prepare({ kind: "catch-up", digest: "fedcba9876543210" });
  assert.deepEqual(decide(), ["newer-push"], "by a log that this host never had");
});

test("what was missed leaves alone what was pushed since it was gathered", () => {
  const { prepare, decide, learn, log } = keeper();
  prepare({ kind: "catch-up", digest: log.digest });
  learn(publication(2, { paths: ["www/a"] }), LISTED);
  assert.deepEqual(decide(), [["later"]]);
  // Its paths are not known.
  learn(publication(3, { paths: ["www/b"] }), { ...LISTED, list: "" });
  assert.deepEqual(decide(), ["newer-push"]);
});

test("what was pushed since counts also if a later push has covered it, which this host lacks", () => {
  const { prepare, decide, learn, log } = keeper();
  prepare({ kind: "catch-up", digest: log.digest });
  const file = { paths: ["www/a"], recursive: false };
  learn(publication(2, file), LISTED);
  learn(publication(3, file), MISSED);
  assert.deepEqual(decide(), [["later"]]);
  // After more than it remembers, it cannot tell.
  for (let number = 4; number < 4 + FORMER; number++) learn(publication(number, file), MISSED);
  assert.deepEqual(decide(), ["newer-push"]);
});

test("what was gathered before something else that was brought comes too late", () => {
  const { prepare, decide, learn, log, hold } = keeper();
  const before = log.digest;
  learn(publication(2, { paths: ["www/a"] }), MISSED);
  const origin = { kind: "catch-up", digest: log.digest };
  hold({ kind: "committed", inbound: { ...BROUGHT, transfer: 8 }, origin, failure: undefined });
  prepare({ kind: "catch-up", digest: before });
  assert.deepEqual(decide(), ["newer-push"]);
});

test("a commit of what was missed waits until a push that has changed the tree is in the log", () => {
  const { one, prepare, decide, learn, hold, log } = keeper();
  prepare({ kind: "catch-up", digest: log.digest });
  assert.equal(hold({ kind: "switched", inbound: PUSH }), false);
  const decided = decide();
  assert.deepEqual(decided, []);
  learn(publication(2, { paths: ["www/a"] }), LISTED);
  one.onEvent({ kind: "inbound-ended", key: PUSH, outcome: "done", reason: "" });
  assert.deepEqual(decided, [["later"]]);
});

test("an undo is not committed after another publication of the same paths, which may not be in the log yet", () => {
  const undoes = publication(1);
  const announced = { ...publication(9), undoes };
  const origin: Origin = { kind: "undo", announced, digest: "" };
  for (const [later, expected] of [
    [publication(2, { paths: ["www/a"] }), "undo-crossed"],
    [publication(2, { paths: ["other"] }), []],
    [{ ...publication(2), undoes }, "undo-crossed"],
  ] as const) {
    const { one, prepare, decide, learn, hold } = keeper();
    prepare(origin);
    assert.deepEqual(decide(), [[]]);
    hold({ kind: "switched", inbound: PUSH });
    const decided = decide();
    assert.deepEqual(decided, []);
    learn(later, LISTED);
    one.onEvent({ kind: "inbound-ended", key: PUSH, outcome: "done", reason: "" });
    assert.deepEqual(decided, [expected]);
  }
});

test("a member of a push that has died is known to catch up", () => {
  const log = new PublicationLog({ hostName: "host2", ip: "10.0.0.2", labels: [] });
  const heard = new Map([[member.epoch, { catchesUp: true }]]);
  const engine = { catchUp: { log, tellings: { heard: (epoch: string) => heard.get(epoch) } } };
  const identity = { nodeId: "02".repeat(16), epoch: "d".repeat(16) };
  const parts = { engine, identity, settings: { base: "/", hostName: "host2" }, file: undefined };
  const one = new CatchUpKeeper(parts as unknown as CatchUpParts);
  const request = { paths: ["a"], targets: [], excepts: [], excludes: [] } as unknown as SendRequest;
  one.begin(1, request, { excludes: [] } as unknown as SourceRules, undefined, [member]);
  heard.clear();
  assert.equal(one.catchesUp(member.epoch), true);
  assert.equal(one.catchesUp("e".repeat(16)), false);
});

test("an undo that others have committed before is committed here, too, though the log has it already", () => {
  const undoes = publication(1);
  const { one, prepare, decide, learn, hold } = keeper();
  learn(undoes, LISTED);
  prepare({ kind: "undo", announced: { ...publication(9), undoes }, digest: "" });
  // This host still switches to another push, and hears of the undo meanwhile.
  hold({ kind: "switched", inbound: PUSH });
  const decided = decide();
  learn({ ...publication(9), epoch: BROUGHT.epoch, number: BROUGHT.transfer, undoes }, MISSED);
  one.onEvent({ kind: "inbound-ended", key: PUSH, outcome: "done", reason: "" });
  assert.deepEqual(decided, [[]]);
});

const nobody = () => assert.fail("nothing is held back");

/** A host that keeps a log, and was stopped when a transfer was ready. */
function keptHost() {
  const { log } = keeper();
  const told: unknown[] = [];
  const lines: string[] = [];
  const written: { readonly number: number; release: () => void }[] = [];
  const engine = { catchUp: { log, tellings: {}, hasArea: () => true }, isIdle: false };
  const file = {
    found: { isIntact: true, log },
    add: (_: unknown, [kept]: readonly Kept[]) =>
      new Promise<void>((resolve) =>
        written.push({ number: kept?.publication.number ?? 0, release: resolve }),
      ),
  };
  const say = (line: string) => lines.push(line);
  const identity = { nodeId: "02".repeat(16), epoch: "d".repeat(16) };
  const settings = { base: "/", hostName: "host2" };
  const parts = { engine, identity, settings, log: { info: say, warn: say, debug: say }, file };
  const one = new CatchUpKeeper(parts as unknown as CatchUpParts);
  const driver = { handle: (input: unknown) => told.push(input) } as unknown as Driver;
  one.attach(driver, {} as unknown as TransferServer);
  const { epoch, number } = publication(1);
  const key = { epoch, transfer: number, admission: 0 };
  one.noteKept([`${epoch}-${number}`]);
  const decide = () => {
    const codes: (string | undefined)[] = [];
    one.decide(key, ({ veto }) => codes.push(veto?.code));
    return codes;
  };
  return { one, log, told, lines, written, key, decide };
}

test("an area that a start has kept is told to the engine, and in the log", () => {
  const { told, lines, key } = keptHost();
  const { epoch, transfer } = key;
  assert.deepEqual(told, [{ kind: "areas-kept", names: [{ epoch, transfer }] }]);
  assert.match(
    lines.join(),
    /^transfer .*-1 was ready when this host stopped: others tell whether it was committed$/,
  );
});

test("an area is not committed while a push changes the tree, or this host pushes itself", () => {
  const { one, decide } = keptHost();
  assert.deepEqual(decide(), [undefined]);
  one.hold({ kind: "switched", inbound: PUSH }, nobody);
  assert.deepEqual(decide(), ["newer-push"]);
  one.onEvent({ kind: "inbound-ended", key: PUSH, outcome: "done", reason: "" });
  assert.deepEqual(decide(), [undefined]);
  const request = { paths: ["x"], targets: [], excepts: [], recursive: false };
  const rules = { deletes: "nothing", excludes: [], syncs: false, sendsAttributes: true };
  one.begin(1, request as unknown as SendRequest, rules as unknown as SourceRules, undefined, []);
  assert.deepEqual(decide(), ["newer-push"]);
});

for (const failure of [undefined, reason("EIO", "f")])
  test(`what comes after an area that a start has kept waits until its commit ${failure ? "has failed" : "is in the log"}`, async () => {
    const { one, written, key } = keptHost();
    const origin = { kind: "catch-up", digest: "" };
    one.hold(
      { kind: "prepared", inbound: BROUGHT, failure: undefined, origin } as unknown as StageAnswer,
      nobody,
    );
    one.hold({ kind: "switched", inbound: key }, nobody);
    let isDecided = false;
    one.decide(BROUGHT, () => (isDecided = true));
    assert.equal(isDecided, false);
    one.hold(
      { kind: "committed", inbound: key, failure, order: 10 } as unknown as StageAnswer,
      () => undefined,
    );
    assert.equal(isDecided, failure !== undefined);
    for (const { release } of written) release();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isDecided, true);
  });

test("an area that was committed is in the log before the engine hears of it, and is not handed on", async () => {
  const { one, log, written, key, lines } = keptHost();
  const passed: unknown[] = [];
  const answer = { kind: "committed", inbound: key, failure: undefined, isListed: false, order: 10 };
  assert.equal(
    one.hold(answer as unknown as StageAnswer, (held) => passed.push(held)),
    true,
  );
  assert.match(lines.join(), /was committed by others, and now here, without being sent again/);
  assert.deepEqual([written.map(({ number }) => number), passed], [[1], []]);
  written[0]?.release();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(passed, [answer]);
  assert.deepEqual([log.missing, log.all[0]?.here.list], [[], ""]);
});

test("an area that could not be committed is lacked as before, and no area any more", () => {
  const { one, log, written, key, lines, decide } = keptHost();
  const failure = reason("ENOSPC", "x");
  const answer = { kind: "committed", inbound: key, failure } as unknown as StageAnswer;
  assert.equal(one.hold(answer, nobody), false);
  assert.match(lines.join(), /is asked for again: x: no space left/);
  assert.deepEqual([log.missing, written.length], [[0], 0]);
  // From now on it is a transfer like others.
  one.hold({ kind: "switched", inbound: PUSH }, nobody);
  assert.deepEqual(decide(), [undefined]);
});
