import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { Pace } from "../../src/engine/receiver/pace.ts";
import { spreadMs } from "../../src/engine/spread.ts";

/** How often members report by themselves. */

const WINDOW = 1000;

/** The shares of a window after which one of so many members reports, one report after the other. */
function shares(members: number): number[] {
  const pace = new Pace(new SeededRandom(members), spreadMs(members));
  return Array.from({ length: 200 }, () => {
    pace.drawShare();
    let used = 0;
    while (!pace.isDue(used, WINDOW)) used++;
    return used / WINDOW;
  });
}

/** Reports of all of them for each window. */
const reports = (members: number) => {
  const drawn = shares(members);
  return (members * drawn.length) / drawn.reduce((sum, share) => sum + share, 0);
};

test("a few members report after a quarter of the window, so that it never closes", () => {
  assert.deepEqual(new Set(shares(4)), new Set([0.25]));
});

test("nobody uses up a window without a report", () => {
  for (const members of [4, 16, 100, 1000, 5000]) assert.ok(Math.max(...shares(members)) <= 0.95);
});

test("reports grow by less than the number of members, from a dozen of them on", () => {
  assert.ok(reports(16) < 3 * reports(4), `${reports(16)} of 16 members, ${reports(4)} of 4`);
  assert.ok(reports(1000) < 40 * reports(16), `${reports(1000)} of 1,000 members, ${reports(16)} of 16`);
});
