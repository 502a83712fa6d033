import { test } from "node:test";
import { Fleet, type FleetOptions } from "../simulation/fleet.ts";
import { compareTranscript, time } from "./transcript.ts";

/** Transfers to few and many members in a lean network: how long they take, and how much is said, see transcript.ts. */

const LINE = { seed: 1, linkMbps: 1000, socketFragments: 2_000, loss: 0, members: 4, dataBytes: 6e6 };
const FOR_EVER = Infinity;

function figures(options: Partial<FleetOptions>): string[] {
  const { result, sentAt100Ms, ...counts } = new Fleet({ ...LINE, ...options }).run();
  const { virtualMs, statusCount, feedbackBytes, announcedBytes, droppedStatuses, droppedFragments } = counts;
  const done = result.verdicts.filter(({ outcome }) => outcome === "done").length;
  return [
    `${done} done after ${time(virtualMs)} ms, ${result.sentFragments} sent, ${result.repairedFragments} of them repairs`,
    `said ${announcedBytes} bytes, heard ${feedbackBytes} bytes in ${statusCount} STATUS`,
    `dropped ${droppedStatuses} STATUS and ${droppedFragments} fragments`,
    `sent by each tenth of a second: ${sentAt100Ms.join(" ")}`,
  ];
}

const bottleneck = (
  mbps: number,
  queueKib: number,
  before: "everybody" | "one member",
  untilMs = FOR_EVER,
) => ({
  bottleneck: { mbps, queueBytes: queueKib * 1024, untilMs, before },
});

const RUNS: Readonly<Record<string, Partial<FleetOptions>>> = {
  "one-member": { members: 1 },
  "few-members": { loss: 0.02 },
  "bad-cable": { loss: 0.3, dataBytes: 4e6 },
  "small-sockets": { loss: 0.01, socketFragments: 60, dataBytes: 2e6 },
  "sixteen-members": { members: 16, loss: 0.02 },
  "hundred-members": { members: 100, loss: 0.01, dataBytes: 4e6 },
  "second-times": { members: 80, loss: 0.08, dataBytes: 14e6 },
  "slow-line": { ...bottleneck(100, 64, "everybody"), dataBytes: 12e6 },
  "slow-member": { ...bottleneck(300, 256, "one member"), loss: 0.01, dataBytes: 20e6 },
  "slow-for-a-while": { ...bottleneck(50, 64, "everybody", 700), dataBytes: 40e6 },
  "configured-rate": { loss: 0.02, rateMbps: 100, dataBytes: 5e6 },
  "low-rate": { loss: 0.02, rateMbps: 4, dataBytes: 2e5 },
};

for (const [name, options] of Object.entries(RUNS))
  test(`transcript: figures of ${name}`, () => compareTranscript(`fleet-${name}`, figures(options)));
