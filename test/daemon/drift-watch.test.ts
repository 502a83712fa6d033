import assert from "node:assert/strict";
import { mock, test, type TestContext } from "node:test";
import { DriftWatch } from "../../src/daemon/catch-up/drift-watch.ts";
import type { DriftAnswer } from "../../src/daemon/disk/messages.ts";
import { checkDrift, parseDriftMode, parseInterval } from "../../src/daemon/settings/drift-settings.ts";

/** When a host compares its tree with what was published. */

const HOUR_MS = 3_600_000;
const NOTHING: DriftAnswer = { count: 0, sample: "", lists: [] };

function watched(context: TestContext, everyMs: number) {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const host = { quietMark: 1 as number | undefined, noted: 0, questions: [] as (() => void)[] };
  const keeper = {
    looks: [],
    get quietMark() {
      return host.quietMark;
    },
    noteDrift: () => void host.noted++,
  };
  const findDrift = (_looks: unknown, onAnswer: (answer: DriftAnswer) => void) =>
    void host.questions.push(() => onAnswer(NOTHING));
  const watch = new DriftWatch(everyMs, keeper, { findDrift });
  watch.start();
  context.after(() => watch.stop());
  return { host, watch };
}

test("the first look is within the interval, and each further one an interval later", (context) => {
  const { host } = watched(context, HOUR_MS);
  mock.timers.tick(HOUR_MS);
  assert.equal(host.questions.length, 1);
  host.questions[0]?.();
  assert.equal(host.noted, 1);
  mock.timers.tick(HOUR_MS - 1);
  assert.equal(host.questions.length, 1);
  mock.timers.tick(1);
  assert.equal(host.questions.length, 2);
});

test("nothing is compared while a transfer is going on, and an answer counts only if none has begun", (context) => {
  const { host } = watched(context, HOUR_MS);
  host.quietMark = undefined;
  mock.timers.tick(HOUR_MS);
  assert.equal(host.questions.length, 0);
  host.quietMark = 1;
  mock.timers.tick(60_000);
  assert.equal(host.questions.length, 1);
  host.quietMark = 2;
  host.questions[0]?.();
  assert.equal(host.noted, 0);
  mock.timers.tick(60_000);
  assert.equal(host.questions.length, 2, "it looks again soon");
  host.questions[1]?.();
  assert.equal(host.noted, 1);
});

test("without an interval there is no look, and a stop ends them", (context) => {
  const { host } = watched(context, 0);
  mock.timers.tick(100 * HOUR_MS);
  assert.equal(host.questions.length, 0);
  mock.timers.reset();
  const other = watched(context, HOUR_MS);
  other.watch.stop();
  mock.timers.tick(100 * HOUR_MS);
  assert.equal(other.host.questions.length, 0);
});

test("intervals and modes are read, and others refused with a sentence", () => {
  assert.deepEqual(["no", "30s", "5m", "24h", "24d"].map(parseInterval), [
    ...[0, 30_000, 300_000, 24 * HOUR_MS, 24 * 24 * HOUR_MS],
  ]);
  for (const text of ["", "0h", "24", "1.5h", "25d", "h", "-1h"])
    assert.throws(() => parseInterval(text), /^UserError: check-every is '.*': give no, or a time such as/);
  assert.equal(parseDriftMode("repair"), "repair");
  checkDrift("report", false);
  checkDrift("repair", true);
  assert.throws(() => checkDrift("repair", false), /^UserError: drift is 'repair', but catch-up is off: set/);
  assert.throws(() => parseDriftMode("fix"), /^UserError: drift is 'fix': give report or repair$/);
});
