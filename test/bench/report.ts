import fs from "node:fs";
import path from "node:path";
import { type Chart, drawChart } from "./chart.ts";
import { lossChart, receiversChart } from "./charts.ts";
import { type Language, MARKS, readmeSection } from "./readme.ts";
import type { Results } from "./results.ts";

/** Writes charts, and the section of the READMEs that comes from results. */

const ROOT: string = path.resolve(import.meta.dirname, "..", "..");
const READMES: readonly (readonly [string, Language])[] = [
  ["README.md", "english"],
  ["README.ja.md", "japanese"],
];

/** A chart for which too little was measured is left as it is. */
export function writeCharts(directory: string, results: Results): void {
  const charts: Record<string, Chart | undefined> = {
    "receivers.svg": receiversChart(results),
    "loss.svg": lossChart(results),
  };
  for (const [name, chart] of Object.entries(charts)) {
    if (chart !== undefined) fs.writeFileSync(path.join(directory, name), drawChart(chart));
  }
}

/** @throws Error where a README has lost the marks between which the section lies */
export function writeReadmes(results: Results): void {
  for (const [name, language] of READMES) {
    const file: string = path.join(ROOT, name);
    fs.writeFileSync(file, withSection(fs.readFileSync(file, "utf8"), readmeSection(results, language)));
  }
}

export function withSection(text: string, section: string): string {
  const [begin, end]: [number, number] = [text.indexOf(MARKS.begin), text.indexOf(MARKS.end)];
  if (begin < 0 || end < begin) throw new Error(`there is no ${MARKS.begin} with ${MARKS.end} after it`);
  return `${text.slice(0, begin + MARKS.begin.length)}\n${section}\n${text.slice(end)}`;
}
