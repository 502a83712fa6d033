import assert from "node:assert/strict";
import { test } from "node:test";
import { measure } from "./scale.ts";

/** What a socket buffer of 32 MiB holds, which the kernel counts twice, and one of 8 MiB. */
const LARGE_SOCKET = 23_301;
const USUAL_SOCKET = 5_825;
const LINK = { seed: 1, linkMbps: 1000 };

/** At the beginning and the end everybody has to speak a few times, however much data lies between. */
const START_AND_END_STATUSES = 9_000;
const STATUS_WIRE_BYTES = 145;

/** What the start and the end of a transfer to 1,000 members take, however much data lies between. */
const START_AND_END_MS = 400;

test("1,000 members that lose 1 % each: feedback below 2 % of the data, 9 % of repairs, the speed of the line", () => {
  const dataBytes = 128e6;
  const figures = measure({ ...LINK, members: 1000, loss: 0.01, dataBytes, socketFragments: LARGE_SOCKET });
  const { fleet } = figures;
  assert.equal(fleet.result.verdicts.filter(({ outcome }) => outcome === "done").length, 1000);
  const fixedShare = (START_AND_END_STATUSES * STATUS_WIRE_BYTES) / dataBytes;
  assert.ok(figures.feedbackShare - fixedShare < 0.02, `feedback ${figures.feedbackShare}`);
  // The fragments themselves would be more than once the data again.
  assert.ok(figures.repairShare < 0.1 && figures.neededRepairShare > 1, `repairs ${figures.repairShare}`);
  assert.equal(fleet.droppedStatuses, 0, "the sender's socket never overflows");
  const mostMs = 1.03 * figures.wireMs + START_AND_END_MS;
  assert.ok(figures.virtualMs < mostMs, `${figures.virtualMs} ms of ${figures.wireMs}`);
});

test("100 members that lose 1 % each: at the speed of the line, with little feedback", () => {
  const figures = measure({
    ...LINK,
    members: 100,
    loss: 0.01,
    dataBytes: 128e6,
    socketFragments: USUAL_SOCKET,
  });
  assert.ok(figures.feedbackShare < 0.035, `feedback ${figures.feedbackShare}`);
  assert.ok(figures.repairShare < 0.08, `repairs ${figures.repairShare}`);
  assert.ok(figures.virtualMs < 1.15 * figures.wireMs, `${figures.virtualMs} ms of ${figures.wireMs}`);
  assert.equal(figures.fleet.droppedStatuses, 0);
});

test("100 members that lose 0.1 % each cost 3 % of repairs", () => {
  const options = { ...LINK, members: 100, loss: 0.001, dataBytes: 64e6, socketFragments: USUAL_SOCKET };
  const { repairShare, neededRepairShare } = measure(options);
  assert.ok(repairShare < 0.03 && neededRepairShare > 0.09, `repairs ${repairShare}`);
});

for (const members of [1, 4, 8, 16, 64]) {
  test(`${members} members without loss: at the speed of the line, and nothing is repaired`, () => {
    const figures = measure({ ...LINK, members, loss: 0, dataBytes: 64e6, socketFragments: USUAL_SOCKET });
    assert.equal(figures.fleet.result.repairedFragments, 0);
    assert.ok(figures.virtualMs < 1.08 * figures.wireMs, `${figures.virtualMs} ms of ${figures.wireMs}`);
    assert.ok(figures.feedbackShare < 0.012, `feedback ${figures.feedbackShare}`);
  });
}

for (const [loss, most, mostRepairs] of [
  [0.01, 1.06, 0.03],
  [0.05, 1.15, 0.11],
] as const) {
  test(`4 members that lose ${loss * 100} % each take at most ${most} times as long as without loss`, () => {
    const common = { ...LINK, members: 4, dataBytes: 64e6, socketFragments: USUAL_SOCKET };
    const lossless = measure({ ...common, loss: 0 });
    const lossy = measure({ ...common, loss });
    assert.ok(lossy.virtualMs < most * lossless.virtualMs, `${lossy.virtualMs} of ${lossless.virtualMs} ms`);
    assert.ok(lossy.repairShare < mostRepairs, `repairs ${lossy.repairShare} of ${lossy.neededRepairShare}`);
  });
}
