/** What is measured: which files, over which network. */

/** One file of 256 MiB; 5,000 small files; the same 5,000 where they are already. */
export type Content = "big" | "tree" | "unchanged";

/** What a loss takes: a whole train of datagrams as a sender hands it over, or single datagrams. */
export type Lost = "trains" | "datagrams";

export interface Scenario {
  readonly content: Content;
  readonly receivers: number;
  /** Speed of every host's link; undefined for as fast as the machine is. */
  readonly speedMbps: number | undefined;
  /** What gets lost of all that arrives at a receiver. */
  readonly lossPercent: number;
  readonly lost: Lost;
}

export interface ScenarioChoice {
  readonly contents: readonly Content[];
  readonly receivers: readonly number[];
  readonly speedsMbps: readonly (number | undefined)[];
  readonly lossPercents: readonly number[];
  readonly lost: readonly Lost[];
}

/** All that the choice spans; loss is measured with the big file and the smallest number of receivers only. */
export function scenarios(choice: ScenarioChoice): Scenario[] {
  const fewest: number = Math.min(...choice.receivers);
  const all: Scenario[] = [];
  for (const speedMbps of choice.speedsMbps) {
    for (const content of choice.contents) {
      for (const receivers of choice.receivers) {
        for (const lossPercent of choice.lossPercents) {
          if (lossPercent > 0 && (content !== "big" || receivers !== fewest)) continue;
          for (const lost of lossPercent > 0 ? choice.lost : (["trains"] as const)) {
            all.push({ content, receivers, speedMbps, lossPercent, lost });
          }
        }
      }
    }
  }
  return all;
}

/** The same text for the same scenario; results are kept under it. */
export function title(scenario: Scenario): string {
  const { content, receivers, lossPercent, lost } = scenario;
  const loss: string = lossPercent === 0 ? "" : `, ${lossPercent} % of ${lost} lost`;
  return `${content}, ${receivers} receivers, ${speedText(scenario.speedMbps)}${loss}`;
}

export function speedText(speedMbps: number | undefined): string {
  if (speedMbps === undefined) return "unlimited";
  return speedMbps % 1000 === 0 ? `${speedMbps / 1000} Gbit/s` : `${speedMbps} Mbit/s`;
}
