import fs from "node:fs";
import path from "node:path";
import type { NamespaceFleet } from "../support/namespaces.ts";
import { must, sleep } from "../support/processes.ts";
import { clear, fill, makeMany } from "./contents.ts";
import { withFleet } from "./measurement.ts";
import { Makuosan } from "./peers/makuosan.ts";
import { receivers, sender } from "./peers/peer.ts";
import { type Memory, memory, resetPeak } from "./usage.ts";

/** How much memory daemons take: in peace, and at the most while something is pushed. */

export interface SideMemory {
  readonly idle: Memory;
  readonly pushed: Memory;
}

export interface MemoryResult {
  readonly what: string;
  readonly seconds: number;
  readonly sender: SideMemory;
  readonly receiver: SideMemory;
}

const RECEIVERS = 2;
/** For what happens once after the start. */
const CALM_MS = 2_000;
/** A million entries take longer than any other push. */
const LONGEST_PUSH_MS = 900_000;

/** @param entries how many empty files the second tree has */
export async function measureMemory(entries: number): Promise<MemoryResult[]> {
  const scenario = { receivers: RECEIVERS, speedMbps: undefined, lossPercent: 0, units: "trains" } as const;
  return withFleet(
    scenario,
    async (fleet) => {
      fill("big", sender(fleet).base);
      const big: MemoryResult = await measureOne(fleet, "256 MiB in one file");
      for (const host of fleet.hosts) await clear(host.base);
      makeMany(sender(fleet).base, entries);
      return [big, await measureOne(fleet, `${entries} empty files`)];
    },
    "2g",
  );
}

async function measureOne(fleet: NamespaceFleet, what: string): Promise<MemoryResult> {
  const peer: Makuosan = new Makuosan("makuosan", { key: true }, LONGEST_PUSH_MS);
  await peer.prepare(fleet);
  try {
    await sleep(CALM_MS);
    const [senderPid, receiverPid]: [number, number] = peer.processes(fleet);
    const idle: [Memory, Memory] = [memory(senderPid), memory(receiverPid)];
    for (const pid of [senderPid, receiverPid]) resetPeak(pid);
    const beganMs: number = performance.now();
    await peer.push(fleet);
    const seconds: number = (performance.now() - beganMs) / 1000;
    await checkCounts(fleet);
    return {
      what,
      seconds,
      sender: { idle: idle[0], pushed: memory(senderPid) },
      receiver: { idle: idle[1], pushed: memory(receiverPid) },
    };
  } finally {
    await peer.end(fleet);
  }
}

/** That everything has arrived; contents are compared elsewhere. */
async function checkCounts(fleet: NamespaceFleet): Promise<void> {
  const expected: string = await countEntries(sender(fleet).base);
  for (const host of receivers(fleet)) {
    const found: string = await countEntries(host.base);
    if (found !== expected) throw new Error(`${host.name} has ${found} entries, not ${expected}`);
  }
}

async function countEntries(base: string): Promise<string> {
  const names: string[] = fs.readdirSync(base).filter((name) => name !== ".makuosan");
  const paths: string[] = names.map((name) => path.join(base, name));
  return (await must("sh", ["-c", 'find "$@" | wc -l', "sh", ...paths])).trim();
}
