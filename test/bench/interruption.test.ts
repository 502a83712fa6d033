import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { test } from "node:test";
import { eventually } from "../support/processes.ts";

/** Servers of other programs end with a measurement that is broken off. */

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Starts two servers, tells their numbers, and works for ever. */
const PROGRAM = `
  import { watchSignals, whileInterruptible } from ${JSON.stringify(import.meta.resolve("./interruption.ts"))};
  import { Servers } from ${JSON.stringify(import.meta.resolve("./peers/servers.ts"))};
  const host = { command: (program, args) => [program, ...args] };
  const [ended, running] = [new Servers(), new Servers()];
  ended.start(host, "sleep", ["600"]);
  ended.end();
  const pids = ["600", "601"].map((seconds) => running.start(host, "sleep", [seconds]).pid);
  watchSignals();
  console.log(pids.join(" "));
  setInterval(() => undefined, 1000);
  await whileInterruptible(() => Promise.resolve(), () => new Promise(() => undefined));`;

/** A process that nobody has waited for has ended, too. */
function isRunning(pid: string): boolean {
  try {
    return !fs.readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
  } catch {
    return false;
  }
}

for (const [signal, status] of Object.entries(SIGNALS)) {
  test(`${signal} ends the servers on the hosts`, async () => {
    const program = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [told] = (await once(program.stdout, "data")) as [Buffer];
    const pids = told.toString().trim().split(" ");
    assert.equal(pids.length, 2);
    assert.ok(pids.every(isRunning));
    program.kill(signal as NodeJS.Signals);
    const [code] = (await once(program, "exit")) as [number];
    assert.equal(code, status);
    await eventually("the servers have ended", () => !pids.some(isRunning));
  });
}
