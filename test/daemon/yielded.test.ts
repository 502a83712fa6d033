import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import type { HistoryEntry } from "../../src/console/protocol.ts";
import type { StageAnswer } from "../../src/daemon/disk/messages.ts";
import { Hooks } from "../../src/daemon/pushes/hooks.ts";
import { ReceivedTransfers } from "../../src/daemon/pushes/received.ts";
import { logEvent } from "../../src/daemon/service/log-events.ts";
import type { InboundKey, NodeEvent } from "../../src/engine/types.ts";

/** A transfer that gives its place to another one and is admitted again (PROTOCOL.md 5.10), outside of the engine. */

const [FIRST, SECOND] = [1, 2].map((admission) => keyOf(admission)) as [InboundKey, InboundKey];

function keyOf(admission: number): InboundKey {
  return { epoch: "aa".repeat(8), transfer: 3, admission };
}

function began(key: InboundKey): NodeEvent {
  return { kind: "inbound-began", key, hostName: "host1", dryRun: false };
}

function ended(key: InboundKey, outcome: "done" | "yielded"): NodeEvent {
  return { kind: "inbound-ended", key, outcome, reason: "" };
}

const WHOLE = [began(FIRST), ended(FIRST, "yielded"), began(SECOND), ended(SECOND, "done")];

test("the history has one entry of it", () => {
  const entries: HistoryEntry[] = [];
  const received = new ReceivedTransfers("host2", (entry) => entries.push(entry));
  for (const event of WHOLE) received.onEvent(event);
  assert.deepEqual(
    entries.flatMap(({ hosts }) => hosts.map(({ outcome }) => outcome)),
    ["done"],
  );
});

test("the log has no error of it", () => {
  const lines: string[] = [];
  const log = pino(
    { level: "info" },
    { write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg) },
  );
  for (const event of WHOLE) logEvent(log, event, () => "host1", 5000);
  assert.deepEqual(lines, ["transfer 3 from host1 is done"]);
});

test("a late answer about the admission before runs no hook", () => {
  const settings = { preCommit: "/bin/true", postCommit: undefined, account: undefined, timeoutMs: 1000 };
  const hooks = new Hooks(settings, "/nonexistent", pino({ level: "silent" }), 0);
  for (const event of WHOLE.slice(0, 3)) hooks.onEvent(event);
  const late: StageAnswer = {
    kind: "prepared",
    inbound: FIRST,
    failure: undefined,
    isRefusal: false,
    findings: 0,
    totals: { entries: 1, bytes: 1 },
    changes: ["changes"],
  };
  assert.equal(
    hooks.hold(late, () => undefined),
    false,
  );
  assert.equal(
    hooks.hold({ ...late, inbound: SECOND }, () => undefined),
    true,
  );
});
