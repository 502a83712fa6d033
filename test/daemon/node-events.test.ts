import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeEvents } from "../../src/daemon/pump/node-events.ts";
import type { NodeEvent } from "../../src/engine/types.ts";

const EVENT: NodeEvent = {
  kind: "inbound-began",
  key: { epoch: "aa".repeat(8), transfer: 1, admission: 1 },
  hostName: "host1",
  dryRun: false,
};

test("listeners are called in the order in which they were added, each with every event", () => {
  const events = new NodeEvents();
  const calls: string[] = [];
  for (const name of ["log", "transfers", "history"])
    events.listen((event) => calls.push(`${name} ${event.kind}`));
  events.tell(EVENT);
  events.tell(EVENT);
  const once = ["log inbound-began", "transfers inbound-began", "history inbound-began"];
  assert.deepEqual(calls, [...once, ...once]);
});

test("the error of a listener is not swallowed", () => {
  const events = new NodeEvents();
  events.listen(() => {
    throw new Error("broken");
  });
  assert.throws(() => events.tell(EVENT), /broken/);
});
