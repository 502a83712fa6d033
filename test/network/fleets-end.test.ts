import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { namespaceProblem } from "../support/namespaces.ts";
import { eventually, firstOutput } from "../support/processes.ts";

/** Fleets of tests leave nothing behind, however the process of a test ends. */

const skip = await namespaceProblem();
const SUPPORT = path.join(import.meta.dirname, "../support");

/** Starts two daemons, one of them stopped, and says the directory of their fleet. */
const START = {
  namespaces: `
    const { NamespaceFleet } = await import("${SUPPORT}/namespaces.ts");
    const fleet = await NamespaceFleet.create({ hosts: 2, tmpfs: "10m" });`,
  loopback: `
    const { LoopbackFleet } = await import("${SUPPORT}/loopback.ts");
    const fleet = LoopbackFleet.create(2);`,
};
const REST = `
  for (const host of fleet.hosts) await host.start();
  fleet.hosts[1].kill("SIGSTOP");
  console.log(JSON.stringify([fleet.directory, ...fleet.hosts.map(({ pid }) => pid)]));`;

async function startedBy(script: string) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const [directory = "", ...pids] = JSON.parse(await firstOutput(child)) as [string, ...number[]];
  return { child, ended, directory, pids };
}

/** A process that has ended is a zombie for as long as nobody has asked for its end. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

for (const kind of ["namespaces", "loopback"] as const) {
  test(`${kind}: a test that ends without its cleaning leaves nothing`, { skip }, async () => {
    const script = `${START[kind]}${REST}\nsetTimeout(() => process.exit(1), 100);`;
    const { ended, directory, pids } = await startedBy(script);
    await ended;
    await eventually("all have ended", () => !pids.some(isRunning));
    assert.equal(fs.existsSync(directory), false);
  });
}

test("namespaces: a test that is killed leaves no process", { skip }, async (context) => {
  const { child, ended, directory, pids } = await startedBy(
    START.namespaces.replace(`, tmpfs: "10m"`, "") + REST,
  );
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  child.kill("SIGKILL");
  await ended;
  await eventually("all have ended", () => !pids.some(isRunning));
});

test("two tests at once have different ports", async () => {
  const script = `
    const { nextPort } = await import("${SUPPORT}/ports.ts");
    console.log(JSON.stringify(["", nextPort(), nextPort()]));
    process.on("SIGTERM", () => process.exit(0));
    setInterval(() => undefined, 1000);`;
  const started = await Promise.all([1, 2, 3, 4].map(() => startedBy(script)));
  const ports = started.flatMap(({ pids }) => pids);
  for (const { child, ended } of started) {
    child.kill("SIGKILL");
    await ended;
  }
  assert.equal(new Set(ports).size, 8, ports.join(" "));
});
