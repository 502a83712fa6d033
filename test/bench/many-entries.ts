import { must } from "../support/processes.ts";
import { copy, makeMany } from "./contents.ts";
import { withFleet } from "./measurement.ts";
import { Makuosan } from "./peers/makuosan.ts";
import { receivers, sender } from "./peers/peer.ts";

/** How long a push of very many files takes that are all there already, beside rsync over the same tree on one host. */

export interface ManyResult {
  readonly entries: number;
  /** One time of each turn, in milliseconds. */
  readonly ownMs: readonly number[];
  readonly rsyncMs: readonly number[];
}

const RECEIVERS = 1;
/** In the first turn of each program the kernel has yet to read names; the median leaves that out. */
const TURNS = 3;
const LONGEST_PUSH_MS = 900_000;

/** @param entries how many empty files the tree has */
export async function measureMany(entries: number): Promise<ManyResult> {
  const scenario = { receivers: RECEIVERS, speedMbps: undefined, lossPercent: 0, units: "trains" } as const;
  return withFleet(
    scenario,
    async (fleet) => {
      const from: string = sender(fleet).base;
      const [receiver] = receivers(fleet);
      if (receiver === undefined) throw new Error("the fleet has no receiver");
      makeMany(from, entries);
      await copy(from, receiver.base);
      const peer: Makuosan = new Makuosan("makuosan", { key: true }, LONGEST_PUSH_MS);
      await peer.prepare(fleet);
      try {
        const [ownMs, rsyncMs]: [number[], number[]] = [[], []];
        for (let turn = 0; turn < TURNS; turn++) {
          rsyncMs.push(await timed(() => compareByRsync(from, receiver.base)));
          ownMs.push(await timed(() => peer.push(fleet)));
        }
        return { entries, ownMs, rsyncMs };
      } finally {
        await peer.end(fleet);
      }
    },
    "3g",
  );
}

/** @throws Error if rsync finds anything to do, because then it would not do the same work */
async function compareByRsync(from: string, to: string): Promise<void> {
  const said: string = await must("rsync", [
    "-an",
    "--itemize-changes",
    "--exclude=.makuosan",
    `${from}/`,
    to,
  ]);
  const changed: string[] = said.split("\n").filter((line) => line !== "" && !line.startsWith(".d..t"));
  if (changed.length > 0) throw new Error(`rsync finds a difference: ${changed[0]}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const beganMs: number = performance.now();
  await work();
  return performance.now() - beganMs;
}
