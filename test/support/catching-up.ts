import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { acquainted, type Host } from "./host.ts";
import { type FleetOptions, NamespaceFleet } from "./namespaces.ts";
import { eventually } from "./processes.ts";

/** Fleets whose hosts have state directories, so that they get what they have missed. */

const PROGRAMS = process.env["MAKUOSAN_TEST_PROGRAMS"];

export async function fleetOf(
  count: number,
  options: Omit<FleetOptions, "hosts"> = {},
): Promise<NamespaceFleet> {
  const fleet = await NamespaceFleet.create({ ...options, hosts: 0 });
  await fleet.orDestroyed(async () => {
    for (let index = 0; index < count; index++) await fleet.addHost(PROGRAMS);
  });
  return fleet;
}

export async function start(fleet: NamespaceFleet, host: Host, ...more: string[]): Promise<void> {
  const state = path.join(fleet.directory, `state-${host.name}`);
  fs.mkdirSync(state, { recursive: true });
  await host.start("--state", state, ...more);
}

export async function startAll(fleet: NamespaceFleet, hosts: readonly Host[] = fleet.hosts): Promise<void> {
  for (const host of hosts) await start(fleet, host);
  await acquainted(hosts);
}

export async function push(host: Host, ...args: string[]): Promise<void> {
  const { status, stderr } = await host.msync(...args);
  assert.deepEqual({ status, stderr: withoutWarnings(stderr) }, { status: 0, stderr: "" });
}

/** Waits until a host knows as many pushes as another one, and lacks none. */
export async function becomesCurrent(host: Host, other: Host): Promise<void> {
  const logOf = async (one: Host) => /^catch-up : (.*)$/m.exec((await one.msync("--status")).stdout)?.[1];
  await eventually(
    `${host.name} lacks nothing`,
    async () => {
      const text = await logOf(host);
      return text?.startsWith("current") === true && text === (await logOf(other));
    },
    60_000,
  );
}

/** The fleets of these tests have no key. */
export function withoutWarnings(stderr: string): string {
  return stderr.replace(/^warning: no key is set.*\n/m, "");
}

export async function isEqual(host: Host, args: readonly string[] = []): Promise<boolean> {
  const { status } = await host.msync("--check", "-r", "--delete", ...args);
  return status === 0;
}

export async function becomesEqual(
  host: Host,
  seconds: number,
  args: readonly string[] = [],
): Promise<number> {
  const beganMs = performance.now();
  await eventually(`all are as ${host.name}`, () => isEqual(host, args));
  const tookMs = performance.now() - beganMs;
  // The limit is generous where the machine is busy: what is asserted is that nobody has to do anything.
  assert.ok(tookMs < seconds * 1000, `it took ${Math.round(tookMs)} ms`);
  return tookMs;
}

/** Several seconds on a quiet machine: a look, and the time until the others hear of it. */
export async function says(host: Host, what: RegExp): Promise<void> {
  const isSaid = async () => what.test((await host.msync("--members", "-v")).stdout);
  await eventually(`${host.name} says ${String(what)}`, isSaid, 60_000);
}
