import fs from "node:fs";
import path from "node:path";
import { must, sleep } from "../support/processes.ts";
import { withFleet } from "./measurement.ts";
import { Makuosan } from "./peers/makuosan.ts";
import { receivers, sender } from "./peers/peer.ts";

/** How long an administrator waits for one small file: the whole command, from its start to its exit. */

const RECEIVERS = 4;
const TIMES = 20;
const CALM_MS = 1_000;

/** @return one time for each push, in milliseconds */
export async function measureDelay(): Promise<number[]> {
  const scenario = { receivers: RECEIVERS, speedMbps: undefined, lossPercent: 0, units: "trains" } as const;
  return withFleet(scenario, async (fleet) => {
    const peer: Makuosan = new Makuosan("makuosan", { key: true });
    await peer.prepare(fleet);
    try {
      await sleep(CALM_MS);
      const file: string = path.join(sender(fleet).base, "index.html");
      const times: number[] = [];
      for (let turn = 0; turn < TIMES; turn++) {
        fs.writeFileSync(file, `turn ${turn}\n`);
        const beganMs: number = performance.now();
        await peer.pushPaths(fleet, ["index.html"]);
        times.push(performance.now() - beganMs);
        for (const host of receivers(fleet)) await must("cmp", [file, path.join(host.base, "index.html")]);
      }
      return times;
    } finally {
      await peer.end(fleet);
    }
  });
}
