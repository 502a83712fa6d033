import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { LoopbackFleet } from "../support/loopback.ts";
import { must, run } from "../support/processes.ts";
import { DIST, machineProblem, VERSION } from "./copies.ts";

/**
 * How long the executable takes to start, as a multiple of what Node alone takes, in turns with it on the same machine:
 * a time by itself would say more about the machine than about the program. The best of several starts of each
 * counts, because whatever else runs here can only make a start slower.
 */

const STARTS = 16;

/** 60 ms where Node alone takes 30. What is loaded without need shows here first. */
const VERSION_TIMES = 2;

/** 300 ms where Node alone takes 30. */
const READY_TIMES = 10;

const problem = machineProblem() ?? false;

async function time(start: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await start();
  return performance.now() - beganMs;
}

/**
 * Compares a start with that of Node alone.
 *
 * @param tidy what is to be done behind each start and is not measured
 * @returns the best time of each, and how many times that of Node the other one is
 */
async function compareWithNode(
  start: () => Promise<unknown>,
  tidy: () => Promise<unknown> = () => Promise.resolve(),
) {
  let [bestMs, nodeMs] = [Infinity, Infinity];
  for (let index = 0; index < STARTS; index++) {
    nodeMs = Math.min(nodeMs, await time(() => must(process.execPath, ["-e", ""])));
    bestMs = Math.min(bestMs, await time(start));
    await tidy();
  }
  const times = bestMs / nodeMs;
  return {
    times,
    text: `${bestMs.toFixed(0)} ms, ${times.toFixed(2)} x the ${nodeMs.toFixed(0)} ms of Node alone`,
  };
}

test("msync --version takes little more than the start of Node", { skip: problem }, async (context) => {
  const { times, text } = await compareWithNode(async () => {
    assert.equal(await must(path.join(DIST, "msync"), ["--version"]), `msync ${VERSION}\n`);
  });
  context.diagnostic(text);
  assert.ok(times <= VERSION_TIMES, text);
});

test("the daemon is soon ready", { skip: problem }, async (context) => {
  const fleet = LoopbackFleet.create(1);
  context.after(() => fleet.destroy());
  const [host] = fleet.hosts;
  assert.ok(host !== undefined);
  const { times, text } = await compareWithNode(
    () => host.start(),
    () => host.stop(),
  );
  context.diagnostic(text);
  assert.ok(times <= READY_TIMES, text);
});

const sysroot = "/usr/aarch64-linux-gnu";
const isEmulatorMissing =
  (await run("sh", ["-c", `command -v qemu-aarch64 && test -e ${sysroot}/lib/libstdc++.so.6`])).status !== 0;
const emulatorProblem = isEmulatorMissing && "there is no qemu-aarch64 with the libraries of arm64";

test(
  "the executable for arm64 starts, and makes a key",
  { skip: problem || emulatorProblem },
  async (context) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-arm64-"));
    context.after(() => fs.rmSync(folder, { recursive: true }));
    const emulate = (...args: string[]) =>
      must("qemu-aarch64", ["-L", sysroot, path.join(DIST, "arm64", "msync"), ...args]);
    assert.equal(await emulate("--version"), `msync ${VERSION}\n`);
    const key = path.join(folder, "key");
    await emulate("--keygen", key);
    assert.match(fs.readFileSync(key, "latin1"), /^[A-Za-z0-9+/]{43}=\n$/);
  },
);
