import { parseArgs } from "node:util";
import { Fleet, type FleetOptions, type FleetFigures } from "./fleet.ts";
import { WIRE_FRAGMENT_BYTES, wireMs } from "./link.ts";

/**
 * `make sim-scale`: how feedback, repairs and time of one transfer grow with the number of members, as a table.
 */

/**
 * How many of a hundred fragments must at least be sent again without parity, if each member loses a share independently.
 */
export function neededRepairShare(members: number, loss: number): number {
  let share = 0;
  for (let round = 1; round < 50; round++) share += 1 - (1 - loss ** round) ** members;
  return share;
}

export interface ScaleFigures {
  readonly feedbackShare: number;
  readonly repairShare: number;
  readonly neededRepairShare: number;
  /** The time that the transfer took, and the time that a line needs for everything that was sent. */
  readonly virtualMs: number;
  readonly wireMs: number;
  readonly fleet: FleetFigures;
}

/** Runs one transfer and computes its figures. */
export function measure(options: FleetOptions): ScaleFigures {
  const fleet = new Fleet(options).run();
  const needed = neededRepairShare(options.members, options.loss);
  return {
    feedbackShare: (fleet.feedbackBytes + fleet.announcedBytes) / options.dataBytes,
    repairShare: fleet.result.repairedFragments / fleet.neededFragments,
    neededRepairShare: needed,
    virtualMs: fleet.virtualMs,
    wireMs: wireMs(fleet.result.sentFragments * WIRE_FRAGMENT_BYTES + fleet.announcedBytes, options.linkMbps),
    fleet,
  };
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`;

function main(): void {
  const { values } = parseArgs({
    options: {
      members: { type: "string", default: "4,16,100,1000" },
      loss: { type: "string", default: "0.01" },
      mb: { type: "string", default: "1000" },
      link: { type: "string", default: "1000" },
      buffer: { type: "string", default: "32" },
      seed: { type: "string", default: "1" },
    },
  });
  const socketFragments = Math.floor((2 * Number(values.buffer) * 1024 * 1024) / 2880);
  console.log(
    "members  loss   feedback  repairs   plain     virtual s  wire s  ratio  STATUS  dropped  real s",
  );
  for (const loss of values.loss.split(",").map(Number)) {
    for (const members of values.members.split(",").map(Number)) {
      const startMs = performance.now();
      const dataBytes = Number(values.mb) * 1e6;
      const common = { seed: Number(values.seed), linkMbps: Number(values.link), socketFragments };
      const figures = measure({ ...common, members, loss, dataBytes });
      const seconds = (ms: number) => (ms / 1000).toFixed(2);
      const columns: [string, number][] = [
        [String(members), 9],
        [percent(loss), 7],
        [percent(figures.feedbackShare), 10],
        [percent(figures.repairShare), 10],
        [percent(figures.neededRepairShare), 10],
        [seconds(figures.virtualMs), 11],
        [seconds(figures.wireMs), 8],
        [(figures.virtualMs / figures.wireMs).toFixed(2), 7],
        [String(figures.fleet.statusCount), 8],
        [String(figures.fleet.droppedStatuses), 9],
        [seconds(performance.now() - startMs), 0],
      ];
      console.log(columns.map(([text, width]) => text.padEnd(width)).join(""));
    }
  }
}

if (import.meta.main) main();
