import assert from "node:assert/strict";
import { test } from "node:test";
import { Fleet, type FleetFigures, type FleetOptions } from "./fleet.ts";
import { WIRE_FRAGMENT_BYTES, wireMs } from "./link.ts";
import { neededRepairShare } from "./scale.ts";

/** Slower links on the way with small queues that drop what does not fit, between lines of 1 Gbit/s. */

const COMMON = { seed: 1, members: 4, linkMbps: 1000, socketFragments: 5_825, loss: 0 };
const FOR_EVER = Infinity;

type Before = NonNullable<FleetOptions["bottleneck"]>["before"];

function throughBottleneck(before: Before, mbps: number, queueKib: number, loss: number): FleetFigures {
  const bottleneck = { mbps, queueBytes: queueKib * 1024, untilMs: FOR_EVER, before };
  return new Fleet({ ...COMMON, loss, dataBytes: 96e6, bottleneck }).run();
}

for (const before of ["everybody", "one member"] as const) {
  for (const [mbps, queueKib] of [
    [100, 64],
    [100, 256],
    [300, 64],
    [300, 256],
  ] as const) {
    for (const loss of [0, 0.01, 0.05]) {
      test(`${mbps} Mbit/s and ${queueKib} KiB of queue before ${before}, ${loss * 100} % lost besides`, () => {
        const figures = throughBottleneck(before, mbps, queueKib, loss);
        const leastMs = wireMs(figures.neededFragments * WIRE_FRAGMENT_BYTES, mbps);
        const repairShare = figures.result.repairedFragments / figures.neededFragments;
        // Of the repairs, those that the loss makes necessary are no fault of the rate.
        const share = loss < 0.05 ? 0.85 : 0.83;
        assert.ok(leastMs > share * figures.virtualMs, `goodput ${leastMs / figures.virtualMs}`);
        const excess = repairShare - neededRepairShare(COMMON.members, loss);
        assert.ok(excess < 0.1, `repairs ${repairShare}`);
      });
    }
  }
}

test("when the bottleneck ends, the rate is that of the line again within two seconds", () => {
  const bottleneck = { mbps: 100, queueBytes: 64 * 1024, untilMs: 4000, before: "everybody" } as const;
  const { sentAt100Ms } = new Fleet({ ...COMMON, dataBytes: 300e6, bottleneck }).run();
  const sentBetween = (fromMs: number, toMs: number) =>
    (sentAt100Ms[toMs / 100] as number) - (sentAt100Ms[fromMs / 100] as number);
  const line = 1e9 / 8 / WIRE_FRAGMENT_BYTES;
  assert.ok(sentBetween(3000, 4000) < 0.12 * line, "it was slow");
  assert.ok(sentBetween(6000, 6500) > 0.95 * line * 0.5, `${sentBetween(6000, 6500)} in half a second`);
});

test("a configured rate is held over any 100 ms, repairs included, and nearly reached", () => {
  for (const rateMbps of [20, 200]) {
    const figures = new Fleet({ ...COMMON, loss: 0.02, dataBytes: 20e6, rateMbps }).run();
    const allowed = (rateMbps * 1e6) / 8 / WIRE_FRAGMENT_BYTES / 10;
    const sent = figures.sentAt100Ms.map((now, index, all) => now - (all[index - 1] ?? 0));
    assert.ok(Math.max(...sent) <= allowed, `${Math.max(...sent)} of ${allowed} in 100 ms`);
    const middle = sent.slice(2, -3);
    const mean = middle.reduce((sum, one) => sum + one, 0) / middle.length;
    assert.ok(mean > 0.93 * allowed, `${mean} of ${allowed} in 100 ms`);
  }
});
