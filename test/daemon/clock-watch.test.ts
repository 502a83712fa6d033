import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { ClockWatch, systemClocks } from "../../src/daemon/service/clock-watch.ts";
import { nextPort } from "../support/ports.ts";
import { run } from "../support/processes.ts";

/** Clocks that are set by hand, and what a watch has said of them. */
function watched() {
  const now = { monotonic: 5_000, boot: 9_000, wall: 1_800_000_000_000 };
  const said: string[] = [];
  const clocks = {
    monotonicMs: () => now.monotonic,
    bootMs: () => now.boot,
    wallMs: () => now.wall,
  };
  const watch = new ClockWatch(clocks, (sentence) => said.push(sentence));
  /** Lets time go by, and some more of it on single clocks; then looks. */
  const pass = (ms: number, more: { boot?: number; wall?: number } = {}) => {
    now.monotonic += ms;
    now.boot += ms + (more.boot ?? 0);
    now.wall += ms + (more.wall ?? 0);
    watch.look();
    return said.splice(0);
  };
  return { now, clocks, watch, pass, said };
}

test("while all clocks go on together, nothing is said, however long a look is away", () => {
  const { pass } = watched();
  for (const ms of [1_000, 1, 0, 86_400_000, 1_000]) assert.deepEqual(pass(ms), []);
});

test("a machine that was suspended for more than a minute is noticed, once", () => {
  const { pass } = watched();
  assert.deepEqual(pass(1_000, { boot: 60_000, wall: 60_000 }), []);
  const [sentence, ...more] = pass(1_000, { boot: 61_000, wall: 61_000 });
  assert.equal(sentence, "the machine was suspended for 61 s");
  assert.deepEqual(more, []);
  assert.deepEqual(pass(1_000), []);
});

test("a snapshot whose time of day is set right is noticed", () => {
  const { pass } = watched();
  assert.deepEqual(pass(1_000, { wall: 60_000 }), []);
  assert.deepEqual(pass(1_000, { wall: 3_600_000 }), ["the clock jumped forward by 3600 s"]);
});

test("a clock that is set back, or slowly drifts, tells nothing", () => {
  const { pass } = watched();
  assert.deepEqual(pass(1_000, { wall: -3_600_000 }), []);
  for (let look = 0; look < 1000; look++) assert.deepEqual(pass(1_000, { wall: 500, boot: 10 }), []);
});

test("a look in whose middle the process stood still counts as none", () => {
  const { now, clocks, watch, said } = watched();
  const { bootMs } = clocks;
  clocks.bootMs = () => {
    for (const clock of ["monotonic", "boot", "wall"] as const) now[clock] += 90_000;
    return bootMs();
  };
  watch.look();
  clocks.bootMs = bootMs;
  watch.look();
  assert.deepEqual(said, []);
});

test("the clocks of this machine go on together", async (context) => {
  const said: string[] = [];
  const watch = new ClockWatch(systemClocks, (sentence) => said.push(sentence));
  context.mock.timers.enable({ apis: ["setInterval"] });
  watch.start();
  context.mock.timers.tick(3_000);
  watch.stop();
  assert.deepEqual(said, []);
  // One clock is read before and after the other: this process may have to wait in between.
  const read = () => [systemClocks.monotonicMs(), systemClocks.bootMs(), systemClocks.monotonicMs()] as const;
  const first = read();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const last = read();
  const [least, passed, most] = [last[0] - first[2], last[1] - first[1], last[2] - first[0]];
  // The kernel tells the time since its start in hundredths of a second.
  assert.ok(passed > least - 30 && passed < most + 30, `${least}, ${passed} and ${most} ms`);
});

test("a daemon ends at once, with a status that lets a service manager start it again", async (context) => {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-clock-"));
  context.after(() => fs.rmSync(base, { recursive: true }));
  // In the daemon, the time of day is set an hour forward when its socket has been there for a while.
  const later = `import fs from "node:fs";
    const { now } = Date;
    let isThereMs;
    Date.now = () => {
      if (isThereMs === undefined && fs.existsSync(${JSON.stringify(path.join(base, "socket"))})) isThereMs = performance.now();
      return now() + (performance.now() - isThereMs > 3_000 ? 3_600_000 : 0);
    };`;
  const state = path.join(base, "state");
  fs.mkdirSync(state);
  const place = [
    "-b",
    base,
    "-U",
    path.join(base, "socket"),
    // Not that of a daemon which is installed on this machine.
    "--state",
    state,
    "-i",
    "127.0.0.5",
    "-p",
    String(nextPort()),
  ];
  const { status, stdout } = await run(
    process.execPath,
    [
      "--import",
      `data:text/javascript,${encodeURIComponent(later)}`,
      path.join(import.meta.dirname, "../../src/main.ts"),
      ...["-n", "--config", "/dev/null", ...place],
    ],
    { timeoutMs: 60_000 },
  );
  assert.match(stdout, /^ready$/m);
  assert.match(
    stdout,
    /^the clock jumped forward by 3600 s: this may be a copy of another machine, .* ending, to be started again$/m,
  );
  assert.equal(status, 75);
});
