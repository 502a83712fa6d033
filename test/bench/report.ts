import fs from "node:fs";
import path from "node:path";
import { type Chart, drawChart } from "./chart.ts";
import { lossChart, receiversChart } from "./charts.ts";
import { type Language, type Length, MARKS, timesSection } from "./readme.ts";
import type { Results } from "./results.ts";

/** Writes charts, and the sections of the READMEs and of docs/measurements.md that come from results. */

const ROOT: string = path.resolve(import.meta.dirname, "..", "..");
const DOCUMENTS: readonly (readonly [string, Language, Length])[] = [
  ["README.md", "english", "short"],
  ["README.ja.md", "japanese", "short"],
  ["docs/measurements.md", "english", "full"],
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

/** @throws Error if a document has lost the marks around its section */
export function writeReadmes(results: Results): void {
  for (const [name, language, length] of DOCUMENTS) {
    const file: string = path.join(ROOT, name);
    const section: string = timesSection(results, language, length);
    fs.writeFileSync(file, withSection(fs.readFileSync(file, "utf8"), section));
  }
}

export function withSection(text: string, section: string): string {
  const [begin, end]: [number, number] = [text.indexOf(MARKS.begin), text.indexOf(MARKS.end)];
  if (begin < 0 || end < begin) throw new Error(`there is no ${MARKS.begin} with ${MARKS.end} after it`);
  return `${text.slice(0, begin + MARKS.begin.length)}\n${section}\n${text.slice(end)}`;
}
