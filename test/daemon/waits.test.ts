import assert from "node:assert/strict";
import { test } from "node:test";
import { Waits } from "../../src/daemon/pushes/waits.ts";
import type { Delay } from "../../src/engine/types.ts";

const nameOf = (epoch: string | undefined) => epoch ?? "self";

test("a host that makes no progress is named after 5, 20 and 60 s, and anew when it has made some", () => {
  const waits = new Waits(nameOf);
  const named: string[] = [];
  const delays = (sinceMs: number): Delay[] => [
    { epoch: "host3", doing: "writing", sinceMs },
    { epoch: undefined, doing: "reading", sinceMs: 70_000 },
  ];
  for (let nowMs = 0; nowMs < 80_000; nowMs += 500) {
    for (const event of waits.look({ ahead: 0, delays: delays(nowMs < 65_000 ? 0 : 65_000) }, nowMs))
      if (event.event === "slow") named.push(`${event.host} ${event.doing} ${event.seconds}`);
  }
  assert.deepEqual(named, [
    "host3 writing 5",
    "host3 writing 20",
    "host3 writing 60",
    "host3 writing 5",
    "self reading 5",
  ]);
});

test("a push that waits for others says so after a second, and again when only half are left", () => {
  const waits = new Waits(nameOf);
  const told: [number, number][] = [];
  for (let nowMs = 0; nowMs < 6_000; nowMs += 500) {
    const ahead = nowMs < 3_000 ? 12 : nowMs < 4_000 ? 7 : nowMs < 5_000 ? 6 : 0;
    for (const event of waits.look({ ahead, delays: [] }, nowMs))
      if (event.event === "waiting") told.push([nowMs, event.pushes]);
  }
  assert.deepEqual(told, [
    [1_000, 12],
    [4_000, 6],
  ]);
});
