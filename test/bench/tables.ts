import { REQUIREMENTS } from "./requirements.ts";
import type { ProcessCosts } from "./measurement.ts";
import type { SideMemory } from "./memory.ts";
import type { Results, ScenarioResult } from "./results.ts";
import { type Figure, medianMs } from "./rounds.ts";
import { title } from "./scenario.ts";
import { median } from "./statistics.ts";
import { wireMsOf } from "./wire-time.ts";

/** Results as text for a terminal. */

/** From here on it is worth a word that the machine had other work: the share of its CPUs. */
const DISTURBED = 0.15;

export function seconds(ms: number): string {
  return ms < 1000 ? (ms / 1000).toFixed(3) : (ms / 1000).toFixed(2);
}

/** A scenario with a line for each contender: median, fastest, slowest, and the ratios. */
export function scenarioTable({ scenario, figures }: ScenarioResult): string {
  const wire: number | undefined = wireMsOf(scenario);
  const own: number = medianMs(figures[0]?.costs ?? []);
  const head: string[] = [
    "",
    "median",
    "fastest",
    "slowest",
    `x ${figures[0]?.contender ?? ""}`,
    "x wire",
    "",
  ];
  const rows: string[][] = figures.map((figure) => row(figure, own, wire));
  if (wire !== undefined)
    rows.push(["the wire itself", seconds(wire), "", "", ratio(wire, own), "1.00", "", ""]);
  return `${title(scenario)}\n${align([head, ...rows])}`;
}

function row({ contender, best, costs, problem }: Figure, own: number, wire: number | undefined): string[] {
  if (costs.length === 0) return [contender, "-", "", "", "", "", "", problem ?? ""];
  const times: number[] = costs.map(({ ms }) => ms);
  const middle: number = median(times);
  const disturbed: number = Math.max(...costs.map(({ busyBefore }) => busyBefore));
  const disturbance: string =
    disturbed < DISTURBED ? "" : `others kept the machine ${Math.round(100 * disturbed)} % busy just before`;
  const notes: string[] = [best === contender ? "" : best, problem ?? "", disturbance].filter(
    (note) => note !== "",
  );
  return [
    contender,
    seconds(middle),
    seconds(Math.min(...times)),
    seconds(Math.max(...times)),
    ratio(middle, own),
    wire === undefined ? "" : ratio(middle, wire),
    `${Math.round(100 * median(costs.map(({ busy }) => busy)))} %`,
    notes.join("; "),
  ];
}

function ratio(value: number, of: number): string {
  return Number.isFinite(value / of) ? (value / of).toFixed(2) : "";
}

/** The CPU time of one sending and one receiving daemon, in every scenario in which it was measured. */
export function cpuTable({ scenarios }: Results): string {
  const head: string[] = ["user + system", "sender", "", "", "one receiver", "", "", ""];
  const rows: string[][] = scenarios.flatMap(({ scenario, figures }) =>
    figures.flatMap(({ contender, costs }) => {
      const cpu: ProcessCosts[] = costs.flatMap((cost) => (cost.cpu === undefined ? [] : [cost.cpu]));
      if (cpu.length === 0) return [];
      const sides: string[] = (["sender", "receiver"] as const).flatMap((side) => {
        const user: number = median(cpu.map((one) => one[side].userMs));
        const system: number = median(cpu.map((one) => one[side].systemMs));
        return [`${user.toFixed(0)} +`, `${system.toFixed(0)} =`, `${(user + system).toFixed(0)} ms`];
      });
      return [[contender, ...sides, title(scenario)]];
    }),
  );
  return rows.length === 0 ? "" : `CPU time during the push\n${align([head, ...rows])}`;
}

/** Memory of daemons, in MB of resident pages. */
export function memoryTable({ memory }: Results): string {
  if (memory === undefined) return "";
  const head: string[] = ["MiB resident", "idle", "of which own", "peak", "time", ""];
  const mib = (kiB: number): string => (kiB / 1024).toFixed(0);
  const rows: string[][] = memory.results.flatMap((result) =>
    (["sender", "receiver"] as const).map((side) => {
      const { idle, pushed }: SideMemory = result[side];
      const figures: string[] = [mib(idle.residentKiB), mib(idle.ownKiB), mib(pushed.peakKiB)];
      return [side, ...figures, `${result.seconds.toFixed(1)} s`, result.what];
    }),
  );
  return `Memory\n${align([head, ...rows])}`;
}

export function delayLine({ delay }: Results): string {
  if (delay === undefined) return "";
  const { ms } = delay;
  const [middle, least, most]: number[] = [median(ms), Math.min(...ms), Math.max(...ms)];
  const figures: string = [middle, least, most].map((one) => one?.toFixed(0)).join(" / ");
  return `Delay: one small file to 4 members, the whole command: ${figures} ms (median / least / most of ${ms.length})`;
}

export function manyLine({ many }: Results): string {
  if (many === undefined) return "";
  const { entries, ownMs, rsyncMs } = many.result;
  const [own, rsync]: string[] = [ownMs, rsyncMs].map((ms) => seconds(median(ms)));
  return `${entries} files with nothing new to 1 member: ${own} s; rsync -an on one host: ${rsync} s (medians of ${ownMs.length})`;
}

export function scaleTable({ scale }: Results): string {
  if (scale === undefined) return "";
  const head: string[] = ["Simulated, 1 GB, 1 Gbit/s", "bytes / without loss", "time / of these bytes", ""];
  const rows: string[][] = scale.results.map(({ members, loss, bytesShare, timeShare }) => {
    return [`${members} members, ${loss * 100} % lost`, bytesShare.toFixed(3), timeShare.toFixed(3), ""];
  });
  return align([head, ...rows]);
}

/** What has to hold, one by one. */
export function requirementTable(results: Results): string {
  const head: string[] = ["What must hold", "asked", "measured", ""];
  const rows: string[][] = REQUIREMENTS.map((requirement) => {
    const { text, most, unit = "x" } = requirement;
    const floor: number | undefined = requirement.floor?.(results);
    const missed: string =
      floor === undefined
        ? "DOES NOT HOLD"
        : `DOES NOT HOLD; the files alone take ${floor.toFixed(2)} ${unit}`;
    const measured: number | undefined = requirement.measure(results);
    if (measured === undefined) return [text, `<= ${most} ${unit}`, "-", "not measured"];
    return [
      text,
      `<= ${most} ${unit}`,
      `${measured.toFixed(2)} ${unit}`,
      measured <= most ? "holds" : missed,
    ];
  });
  return align([head, ...rows]);
}

/** Columns under each other: the first and the last to the left, the others to the right. */
export function align(rows: readonly (readonly string[])[]): string {
  const columns: number = rows[0]?.length ?? 0;
  const widths: number[] = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows
    .map((cells) => {
      const padded: string[] = cells.map((cell, column) => {
        const width: number = widths[column] ?? 0;
        return column === 0 || column === columns - 1 ? cell.padEnd(width) : cell.padStart(width);
      });
      return `  ${padded.join("  ").trimEnd()}`;
    })
    .join("\n");
}
