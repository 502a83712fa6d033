import { type Chart, type Point, type Series } from "./chart.ts";
import { type Results, timeOf } from "./results.ts";
import type { Scenario } from "./scenario.ts";
import { wireMsOf } from "./wire-time.ts";

/** The two charts of the README: time against receivers, and time against loss; of 256 MiB at 1 Gbit/s. */

const NAMES: Record<string, string> = {
  "makuosan, sealed": "makuosan",
  "rsync in parallel": "rsync in parallel",
  uftp: "uftp, best rate",
  udpcast: "udpcast",
};
const GIGABIT = 1000;

/** Undefined where too little was measured to draw a line. */
export function receiversChart(results: Results): Chart | undefined {
  const measured: Scenario[] = bigAtGigabit(results).filter(
    ({ units, lossPercent }) => units === "trains" && lossPercent === 0,
  );
  return chart(results, measured, ({ receivers }) => receivers, {
    title: "256 MiB to all receivers, 1 Gbit/s links",
    xLabel: "receivers",
  });
}

export function lossChart(results: Results): Chart | undefined {
  const fewest: number = Math.min(...bigAtGigabit(results).map(({ receivers }) => receivers));
  const measured: Scenario[] = bigAtGigabit(results).filter(
    ({ units, receivers }) => units === "datagrams" && receivers === fewest,
  );
  return chart(results, measured, ({ lossPercent }) => lossPercent, {
    title: `256 MiB to ${fewest} receivers, 1 Gbit/s links, each losing packets by itself`,
    xLabel: "packets lost at each receiver, in percent",
  });
}

function chart(
  results: Results,
  scenarios: readonly Scenario[],
  xOf: (scenario: Scenario) => number,
  words: { readonly title: string; readonly xLabel: string },
): Chart | undefined {
  const sorted: Scenario[] = scenarios.toSorted((a, b) => xOf(a) - xOf(b));
  const series: Series[] = Object.entries(NAMES).flatMap(([contender, name], colour) => {
    const points: Point[] = line(sorted, xOf, (scenario) => timeOf(results, scenario, contender));
    return points.length < 2 ? [] : [{ name, colour, points }];
  });
  if (series.length === 0) return undefined;
  const wire: Series = {
    name: "the wire itself",
    colour: Object.keys(NAMES).length,
    points: line(sorted, xOf, wireMsOf),
    dashed: true,
  };
  return { ...words, yLabel: "seconds", series: [...series, wire] };
}

function line(
  scenarios: readonly Scenario[],
  xOf: (scenario: Scenario) => number,
  msOf: (scenario: Scenario) => number | undefined,
): Point[] {
  return scenarios.flatMap((scenario) => {
    const ms: number | undefined = msOf(scenario);
    return ms === undefined ? [] : [{ x: xOf(scenario), y: ms / 1000 }];
  });
}

function bigAtGigabit(results: Results): Scenario[] {
  return results.scenarios
    .map(({ scenario }) => scenario)
    .filter(({ content, speedMbps }) => content === "big" && speedMbps === GIGABIT);
}
