import { contentBytes } from "./contents.ts";
import type { ScenarioResult } from "./results.ts";
import type { Figure } from "./rounds.ts";
import { type Scenario, title } from "./scenario.ts";
import { median } from "./statistics.ts";
import { wireMs } from "./wire-time.ts";

/** Results as text for a terminal. */

export function seconds(ms: number): string {
  return ms < 1000 ? (ms / 1000).toFixed(3) : (ms / 1000).toFixed(2);
}

/** The wire's time in a scenario; undefined where the link has no limit, or nothing has to go over it. */
export function wireMsOf({ content, speedMbps }: Scenario): number | undefined {
  const bytes: number = contentBytes(content);
  return speedMbps === undefined || bytes === 0 ? undefined : wireMs(bytes, speedMbps);
}

/** A scenario with a line for each contender: median, fastest, slowest, and the ratios. */
export function scenarioTable({ scenario, figures }: ScenarioResult): string {
  const wire: number | undefined = wireMsOf(scenario);
  const own: number = median(figures[0]?.ms ?? []);
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
  if (wire !== undefined) rows.push(["the wire itself", seconds(wire), "", "", ratio(wire, own), "1.00", ""]);
  return `${title(scenario)}\n${align([head, ...rows])}`;
}

function row({ contender, best, ms, problem }: Figure, own: number, wire: number | undefined): string[] {
  if (ms.length === 0) return [contender, "-", "", "", "", "", problem ?? ""];
  const middle: number = median(ms);
  const notes: string[] = [best === contender ? "" : best, problem ?? ""].filter((note) => note !== "");
  return [
    contender,
    seconds(middle),
    seconds(Math.min(...ms)),
    seconds(Math.max(...ms)),
    ratio(middle, own),
    wire === undefined ? "" : ratio(middle, wire),
    notes.join("; "),
  ];
}

function ratio(value: number, of: number): string {
  return Number.isFinite(value / of) ? (value / of).toFixed(2) : "";
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
