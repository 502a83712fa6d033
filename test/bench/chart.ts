import { type Attributes, element, picture, text } from "./svg.ts";

/** A chart of lines: few series, each named at its right end. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Which colour of the style sheet, from 0. */
  readonly colour: number;
  /** For what is no program but a bound. */
  readonly dashed?: boolean;
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 400;
const PLOT = { left: 64, right: 540, top: 56, bottom: 340 } as const;
const LABEL_GAP = 17;
const Y_STEPS = 5;

const LIGHT: readonly string[] = ["#0060a8", "#c2410c", "#7a3e9d", "#16733a", "#59636e"];
const DARK: readonly string[] = ["#6cb6ff", "#ff9a5c", "#cf9fff", "#6fdc8c", "#9aa5b1"];

/** The chart as an SVG file that can be read on light and on dark pages. */
export function drawChart(chart: Chart): string {
  const points: Point[] = chart.series.flatMap((one) => one.points);
  const ticks: number[] = yTicks(Math.max(...points.map(({ y }) => y)));
  const scale: Scale = new Scale([...new Set(points.map(({ x }) => x))], ticks.at(-1) ?? 1);
  return picture(
    WIDTH,
    HEIGHT,
    styleSheet(),
    element("rect", { class: "page", width: WIDTH, height: HEIGHT, rx: 8 }),
    text({ x: PLOT.left, y: 30, class: "title" }, chart.title),
    ...yAxis(ticks, scale, chart.yLabel),
    ...xAxis(scale, chart.xLabel),
    ...chart.series.map((one) => drawLine(one, scale)),
    ...drawLabels(chart.series, scale),
  );
}

/** Where a value lies in the picture. */
class Scale {
  readonly xs: readonly number[];
  private readonly mostY: number;

  constructor(xs: readonly number[], mostY: number) {
    this.xs = xs.toSorted((a, b) => a - b);
    this.mostY = mostY;
  }

  x(value: number): number {
    const [first = 0, last = 1] = [this.xs[0], this.xs.at(-1)];
    const share: number = last === first ? 0.5 : (value - first) / (last - first);
    return PLOT.left + 16 + share * (PLOT.right - PLOT.left - 32);
  }

  y(value: number): number {
    return PLOT.bottom - (value / this.mostY) * (PLOT.bottom - PLOT.top);
  }
}

/** Round numbers from 0 to above the largest value. */
export function yTicks(most: number): number[] {
  const rough: number = Math.max(most, 1e-6) / Y_STEPS;
  const power: number = 10 ** Math.floor(Math.log10(rough));
  const step: number = ([1, 2, 2.5, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  const count: number = Math.ceil(most / step);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(9)));
}

function yAxis(ticks: readonly number[], scale: Scale, label: string): string[] {
  const middle: number = (PLOT.top + PLOT.bottom) / 2;
  return [
    ...ticks.flatMap((value) => [
      element("line", {
        class: "grid",
        x1: PLOT.left,
        x2: PLOT.right,
        y1: scale.y(value),
        y2: scale.y(value),
      }),
      text({ x: PLOT.left - 8, y: scale.y(value) + 4, class: "end" }, String(Number(value.toPrecision(3)))),
    ]),
    text({ x: 18, y: middle, class: "middle", transform: `rotate(-90 18 ${middle})` }, label),
  ];
}

function xAxis(scale: Scale, label: string): string[] {
  return [
    ...scale.xs.flatMap((value) => [
      element("line", {
        class: "tick",
        x1: scale.x(value),
        x2: scale.x(value),
        y1: PLOT.bottom,
        y2: PLOT.bottom + 5,
      }),
      text({ x: scale.x(value), y: PLOT.bottom + 20, class: "middle" }, String(value)),
    ]),
    text({ x: (PLOT.left + PLOT.right) / 2, y: PLOT.bottom + 44, class: "middle" }, label),
  ];
}

function drawLine({ points, colour, dashed }: Series, scale: Scale): string {
  const places: string = points
    .map(({ x, y }) => `${scale.x(x).toFixed(1)},${scale.y(y).toFixed(1)}`)
    .join(" ");
  const kind: Attributes = { class: `line c${colour}${dashed === true ? " dashed" : ""}` };
  const marks: string[] =
    dashed === true
      ? []
      : points.map(({ x, y }) =>
          element("circle", { class: `dot d${colour}`, cx: scale.x(x), cy: scale.y(y), r: 3.5 }),
        );
  return element("g", {}, element("polyline", { ...kind, points: places }), ...marks);
}

/** The names at the ends of the lines, moved apart where they would lie over each other. */
function drawLabels(series: readonly Series[], scale: Scale): string[] {
  const ends = series
    .map(({ name, colour, points }) => ({ name, colour, y: scale.y(points.at(-1)?.y ?? 0) + 4 }))
    .toSorted((a, b) => b.y - a.y);
  let lowest: number = PLOT.bottom + 4;
  return ends.map(({ name, colour, y }) => {
    const place: number = Math.min(y, lowest);
    lowest = place - LABEL_GAP;
    return text({ x: PLOT.right + 8, y: place, class: `d${colour} name` }, name);
  });
}

function styleSheet(): string {
  const colours = (list: readonly string[]): string =>
    list.map((colour, index) => `.c${index}{stroke:${colour}}.d${index}{fill:${colour}}`).join("");
  return [
    "text{font:13px system-ui,sans-serif;fill:#30363d}.title{font-size:16px;font-weight:600}",
    ".name{font-weight:600}.middle{text-anchor:middle}.end{text-anchor:end}",
    ".page{fill:#fff;stroke:#d0d7de}.grid{stroke:#d8dee4}.tick{stroke:#59636e}",
    ".line{fill:none;stroke-width:2.5;stroke-linejoin:round}.dashed{stroke-dasharray:6 5;stroke-width:2}",
    colours(LIGHT),
    "@media(prefers-color-scheme:dark){text{fill:#d1d7e0}.page{fill:#151b23;stroke:#3d444d}",
    `.grid{stroke:#2f3742}.tick{stroke:#9aa5b1}${colours(DARK)}}`,
  ].join("");
}
