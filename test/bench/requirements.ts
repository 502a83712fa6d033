import { contentBytes } from "./contents.ts";
import type { Cost } from "./measurement.ts";
import { FLOOR } from "./peers/contenders.ts";
import { figureOf, type Results, timeOf } from "./results.ts";
import type { Figure } from "./rounds.ts";
import { type Content, type Scenario, speedText, type Units } from "./scenario.ts";
import { median } from "./statistics.ts";
import type { ScaleResult } from "./scale.ts";
import type { CpuTime } from "./usage.ts";
import { wireMsOf } from "./wire-time.ts";

/** The bounds that the program is meant to keep, each as a ratio of two figures of the same machine. */

export interface Requirement {
  readonly text: string;
  readonly most: number;
  readonly unit?: string;
  /** Undefined where the results lack a figure. */
  readonly measure: (results: Results) => number | undefined;
  /** What it would be for a program that only wrote the files, or looked at them: less is not possible on that machine. */
  readonly floor?: (results: Results) => number | undefined;
}

const OWN = "makuosan, sealed";
const PLAIN = "makuosan without key";
const FRESH = "makuosan, just started";
const UNCOMPRESSED = "makuosan --compress no";
const WHOLE = "makuosan --whole-file";
const RSYNC_DELTA = "rsync with deltas in parallel";
const RSYNC = "rsync in parallel";
const GIGABIT = 1000;
const MILLION = 1_000_000;
/** The time of makuosan 1.3.6, written in C, over uftp's, with 4 receivers and no limit of the link (9.7 s and 4.5 s). */
const FORMER_PROGRAM_PER_UFTP: number = 9.7 / 4.5;

export const REQUIREMENTS: readonly Requirement[] = [
  ...[OWN, PLAIN].map((name) => ({
    text: `big, 4 receivers, 1 Gbit/s: ${name} / the wire`,
    most: 1.08,
    measure: (results: Results) =>
      quotient(timeOf(results, big(4, GIGABIT), name), wireMsOf(big(4, GIGABIT))),
  })),
  {
    text: "big, 4 receivers, unlimited: / uftp",
    most: 0.25,
    measure: (results) => against(results, big(4, undefined), "uftp"),
  },
  {
    text: "big, 4 receivers, unlimited: / makuosan 1.3.6, in proportion",
    most: 0.1,
    measure: (results) => quotient(against(results, big(4, undefined), "uftp"), FORMER_PROGRAM_PER_UFTP),
  },
  {
    text: "big, 1 Gbit/s: 16 receivers / 4 receivers",
    most: 1.6,
    measure: (results) => own(results, big(16, GIGABIT), big(4, GIGABIT)),
  },
  {
    text: "big, 16 receivers, 1 Gbit/s: / rsync",
    most: 0.12,
    measure: (results) => against(results, big(16, GIGABIT), RSYNC),
    floor: (results) => against(results, big(16, GIGABIT), RSYNC, FLOOR),
  },
  text(100, 0.27),
  // Here all hosts share two processors; with processors of its own, a host compresses faster than this link takes it.
  text(GIGABIT, 0.75),
  ...[GIGABIT, undefined].map((speedMbps) => ({
    text: `random bytes, 4 receivers, ${speedText(speedMbps)}: / without compression`,
    most: 1.02,
    measure: (results: Results) => against(results, big(4, speedMbps), UNCOMPRESSED),
  })),
  ...many("tree", 4, 0.5, 0.5),
  ...many("tree", 16, 0.25, 0.22),
  ...many("unchanged", 4, 1, 1),
  ...many("unchanged", 16, 1, 1),
  ...(["big", "tree", "unchanged"] as const).map(first),
  {
    text: "unchanged, 16 receivers, unlimited: daemons just started / rsync",
    most: 1,
    measure: (results) => against(results, scenario("unchanged", 16, undefined), RSYNC, FRESH),
    floor: (results) => against(results, scenario("unchanged", 16, undefined), RSYNC, FLOOR),
  },
  {
    text: "1,000,000 files with nothing new, 1 receiver: / rsync -an on one host",
    most: 1.2,
    measure: ({ many: measured }) =>
      measured?.result.entries === MILLION
        ? median(measured.result.ownMs) / median(measured.result.rsyncMs)
        : undefined,
  },
  ...[100, GIGABIT].map((speedMbps) => ({
    text: `5,000 files in a moved directory, 4 receivers, ${speedText(speedMbps)}: / nothing new`,
    most: 2,
    measure: (results: Results) =>
      own(results, scenario("moved", 4, speedMbps), scenario("unchanged", 4, speedMbps)),
  })),
  ...edited(),
  ...[GIGABIT, undefined].map((speedMbps) => ({
    text: `1 GiB where another file of the name is, 4 receivers, ${speedText(speedMbps)}: / with --whole-file`,
    most: 1.05,
    measure: (results: Results) => against(results, scenario("unlike", 4, speedMbps), WHOLE),
  })),
  ...loss(1, 1.15, 1.03),
  ...loss(5, 1.5, 1.12),
  ...[GIGABIT, undefined].flatMap((speedMbps) => [
    senderCpu("the sender's CPU", speedMbps, ({ userMs, systemMs }) => userMs + systemMs),
    // Between namespaces, the kernel hands each datagram to every receiver in the sender's time; on a real network, a switch does.
    senderCpu("the same outside of the kernel", speedMbps, ({ userMs }) => userMs),
  ]),
  ...scale(1000, 0.01, 1.2),
  ...scale(100, 0.001, 1.03),
  {
    text: "one small file to 4 members, whole command",
    most: 35,
    unit: "ms",
    measure: ({ delay }) => (delay === undefined ? undefined : median(delay.ms)),
  },
];

/** The many small files, at either speed, beside rsync. */
function many(
  content: Content,
  receivers: number,
  mostUnlimited: number,
  mostGigabit: number,
): Requirement[] {
  return [undefined, GIGABIT].map((speedMbps) => ({
    text: `${content}, ${receivers} receivers, ${speedText(speedMbps)}: / rsync`,
    most: speedMbps === undefined ? mostUnlimited : mostGigabit,
    measure: (results) => against(results, scenario(content, receivers, speedMbps), RSYNC),
    floor: (results) => against(results, scenario(content, receivers, speedMbps), RSYNC, FLOOR),
  }));
}

/** A file of 1 GiB of which 1 % has changed in 100 places. */
function edited(): Requirement[] {
  const where: Scenario = scenario("edited", 4, GIGABIT);
  const what = "1 GiB, 1 % changed in 100 places, 4 receivers, 1 Gbit/s";
  return [
    {
      text: `${what}: / with --whole-file`,
      most: 0.12,
      measure: (results) => against(results, where, WHOLE),
      floor: (results) => against(results, where, WHOLE, FLOOR),
    },
    {
      text: `${what}: bytes on the sender's link / bytes of the file`,
      most: 0.03,
      measure: (results) => {
        const costs: readonly Cost[] = figureOf(results, where, OWN)?.costs ?? [];
        const sent: number[] = costs.flatMap(({ sentBytes }) => (sentBytes === undefined ? [] : [sentBytes]));
        return sent.length === 0 ? undefined : median(sent) / contentBytes("edited");
      },
    },
    {
      text: `${what}: / rsync with deltas`,
      most: 0.5,
      measure: (results) => against(results, where, RSYNC_DELTA),
    },
  ];
}

/** Source text beside the wire's time for all its bytes. */
function text(speedMbps: number, most: number): Requirement {
  const where: Scenario = scenario("text", 4, speedMbps);
  return {
    text: `text, 4 receivers, ${speedText(speedMbps)}: / the wire`,
    most,
    measure: (results) => quotient(timeOf(results, where, OWN), wireMsOf(where)),
  };
}

/** The first push after a start, beside those of daemons that have pushed before. */
function first(content: Content): Requirement {
  return {
    text: `${content}, 4 receivers, unlimited: the first push after a start / a later one`,
    most: 1.15,
    measure: (results) => against(results, scenario(content, 4, undefined), OWN, FRESH),
  };
}

/** @param mostDatagrams the bound for single datagrams at 1 Gbit/s */
function loss(lossPercent: number, most: number, mostDatagrams: number): Requirement[] {
  return [undefined, GIGABIT].flatMap((speedMbps) =>
    (["trains", "datagrams"] as const).map((units: Units) => {
      const without: Scenario = { ...big(4, speedMbps), units };
      return {
        text: `big, 4 receivers, ${speedText(speedMbps)}: ${lossPercent} % of ${units} lost / none`,
        most: units === "datagrams" && speedMbps === GIGABIT ? mostDatagrams : most,
        measure: (results: Results) => own(results, { ...without, lossPercent }, without),
      };
    }),
  );
}

/**
 * Fleets of which each member loses a share of all by itself.
 * @param mostBytes the bound for all bytes on the wire, for each byte that a push without loss sends
 */
function scale(members: number, lost: number, mostBytes: number): Requirement[] {
  const what = `simulated, ${members} members lose ${lost * 100} % each`;
  const found = ({ scale: measured }: Results): ScaleResult | undefined =>
    measured?.results.find((one) => one.members === members && one.loss === lost);
  return [
    {
      text: `${what}: bytes on the wire / without loss`,
      most: mostBytes,
      measure: (results) => found(results)?.bytesShare,
    },
    {
      text: `${what}: time / the wire's for these bytes`,
      most: 1.05,
      measure: (results) => found(results)?.timeShare,
    },
  ];
}

function big(receivers: number, speedMbps: number | undefined): Scenario {
  return scenario("big", receivers, speedMbps);
}

function scenario(content: Content, receivers: number, speedMbps: number | undefined): Scenario {
  return { content, receivers, speedMbps, units: "trains", lossPercent: 0 };
}

function against(results: Results, where: Scenario, other: string, who = OWN): number | undefined {
  return quotient(timeOf(results, where, who), timeOf(results, where, other));
}

function own(results: Results, one: Scenario, other: Scenario): number | undefined {
  return quotient(timeOf(results, one, OWN), timeOf(results, other, OWN));
}

function senderCpu(what: string, speedMbps: number | undefined, part: (cpu: CpuTime) => number): Requirement {
  return {
    text: `big, ${speedText(speedMbps)}: ${what}, 16 receivers / 4 receivers`,
    most: 1.1,
    measure: (results) =>
      quotient(senderCpuMs(results, big(16, speedMbps), part), senderCpuMs(results, big(4, speedMbps), part)),
  };
}

function senderCpuMs(results: Results, where: Scenario, part: (cpu: CpuTime) => number): number | undefined {
  const figure: Figure | undefined = figureOf(results, where, OWN);
  const times: number[] = (figure?.costs ?? []).flatMap(({ cpu }) =>
    cpu === undefined ? [] : [part(cpu.sender)],
  );
  return times.length === 0 ? undefined : median(times);
}

function quotient(value: number | undefined, of: number | undefined): number | undefined {
  return value === undefined || of === undefined ? undefined : value / of;
}
