import assert from "node:assert/strict";
import { test } from "node:test";
import { MemberPhase, type Status } from "../../src/wire/status-message.ts";
import { LARGE, ScriptedSender } from "./scripted-sender.ts";

const DEAF =
  "it answers, but no multicast has reached it for 5 seconds: " +
  "check its firewall, and the switch for IGMP snooping without a querier";
const MEMBERS = 12;

/** Runs a transfer in which the first member has got one block and says what else it has received; the others have all. */
function run(durationMs: number, first: (nowMs: number) => Partial<Status>): ScriptedSender {
  const sender = new ScriptedSender(MEMBERS, { blocks: Array.from({ length: 20 }, () => LARGE) });
  sender.start();
  sender.run(3);
  for (let index = 0; index < MEMBERS; index++) sender.status(index);
  sender.run(3);
  const missing = { missingRuns: [{ firstBlock: 1, blocks: 19 }] };
  sender.runWith(durationMs, 250, (index) =>
    index === 0
      ? { stagedBelow: 1, received: 1000, ...missing, ...first(sender.nowMs) }
      : { stagedBelow: 20, phase: MemberPhase.ready },
  );
  return sender;
}

function failures(sender: ScriptedSender): string[] {
  return sender.events.flatMap((event) =>
    event.kind === "member-failed" ? [`${event.hostName} ${event.reason}`] : [],
  );
}

test("a member that answers and that no multicast reaches is left out within ten seconds", () => {
  assert.deepEqual(failures(run(4_500, () => ({}))), []);
  assert.deepEqual(failures(run(9_000, () => ({}))), [`host0 ${DEAF}`]);
});

test("a member that receives a fragment now and then is not deaf, nor is one to which nothing was sent", () => {
  assert.deepEqual(failures(run(30_000, (nowMs) => ({ received: 1000 + Math.floor(nowMs / 3000) }))), []);
  assert.deepEqual(failures(run(30_000, () => ({ stamp: 88, missingRuns: [] }))), []);
});
