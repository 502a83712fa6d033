import { type Results, timeOf } from "./results.ts";
import { type Content, type Scenario, speedText } from "./scenario.ts";
import { median } from "./statistics.ts";
import { seconds } from "./tables.ts";
import { wireMsOf } from "./wire-time.ts";

/** The parts of the READMEs and of docs/measurements.md that come from results: a table of times, and their origin. */

export type Language = "english" | "japanese";

/** A README has the short table, docs/measurements.md the full one. */
export type Length = "short" | "full";

/** The section is between them. */
export const MARKS = {
  begin: "<!-- benchmark: written by make bench -->",
  end: "<!-- /benchmark -->",
} as const;

interface Words {
  readonly contents: Record<Content, string>;
  readonly unlimited: string;
  readonly wire: string;
  readonly contenders: Record<string, string>;
  readonly origin: (commits: string, machine: string) => string;
  readonly delay: (middle: string, least: string, most: string) => string;
}

const GIGABIT = 1000;
const SLOW_MBPS = 100;

/** Content, receivers, and the speed of the link. */
type Column = readonly [Content, number, number | undefined];

/** The columns of each table. */
const COLUMNS: Record<Length, readonly Column[]> = {
  short: [
    ["big", 4, GIGABIT],
    ["big", 16, GIGABIT],
    ["tree", 4, GIGABIT],
    ["unchanged", 4, GIGABIT],
  ],
  full: [
    ["big", 4, undefined],
    ["big", 4, GIGABIT],
    ["big", 16, GIGABIT],
    ["tree", 4, GIGABIT],
    ["tree", 16, GIGABIT],
    ["unchanged", 4, GIGABIT],
    ["unchanged", 16, GIGABIT],
    ["text", 4, SLOW_MBPS],
    ["text", 4, GIGABIT],
    ["moved", 4, SLOW_MBPS],
    ["edited", 4, GIGABIT],
  ],
};

/** The programs of the short table; the full one has all. */
const SHORT_CONTENDERS: readonly string[] = ["makuosan, sealed", "rsync in parallel"];

const WORDS: Record<Language, Words> = {
  english: {
    contents: {
      big: "256 MiB",
      text: "256 MiB of text",
      tree: "5,000 files",
      unchanged: "nothing new",
      moved: "a moved tree",
      edited: "1 GiB, 1 % changed",
      unlike: "1 GiB, all changed",
    },
    unlimited: "no limit",
    wire: "the wire itself",
    contenders: {},
    origin: (commits, machine) => `Seconds, medians; at ${commits}; ${machine}.`,
    delay: (middle, least, most) =>
      `One small file to four hosts, the whole command: ${middle} ms (from ${least} to ${most} ms).`,
  },
  japanese: {
    contents: {
      big: "256 MiB",
      text: "256 MiB のテキスト",
      tree: "5,000 ファイル",
      unchanged: "変更なし",
      moved: "移動したツリー",
      edited: "1 GiB の 1 % を変更",
      unlike: "1 GiB を全部変更",
    },
    unlimited: "制限なし",
    wire: "回線の限界",
    contenders: {
      "makuosan, sealed": "makuosan（鍵あり）",
      "rsync in parallel": "rsync（並列）",
    },
    origin: (commits, machine) => `秒、中央値。${commits}。${machine}。`,
    delay: (middle, least, most) =>
      `小さなファイル 1 つを 4 台へ、コマンド全体で ${middle} ms（${least}〜${most} ms）。`,
  },
};

/** The text between the marks, in Markdown. */
export function timesSection(results: Results, language: Language, length: Length): string {
  const words: Words = WORDS[language];
  const columns: Scenario[] = COLUMNS[length].map(([content, receivers, speedMbps]) => {
    return { content, receivers, speedMbps, units: "trains", lossPercent: 0 } as const;
  });
  const measured: Set<string> = new Set(
    results.scenarios.flatMap(({ figures }) => figures.map((one) => one.contender)),
  );
  const names: string[] = [...measured].filter(
    (name) => length === "full" || SHORT_CONTENDERS.includes(name),
  );
  const rows: string[][] = [
    ["", ...columns.map((one) => heading(one, words))],
    ["---", ...columns.map(() => "---:")],
    ...names.map((name) => [
      words.contenders[name] ?? name,
      ...columns.map((one) => cell(timeOf(results, one, name))),
    ]),
    [words.wire, ...columns.map((one) => cell(wireMsOf(one)))],
  ];
  const table: string = rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return [table, origins(results, words), ...delay(results, words)].join("\n\n");
}

function heading({ content, receivers, speedMbps }: Scenario, words: Words): string {
  const link: string = speedMbps === undefined ? words.unlimited : speedText(speedMbps);
  return `${words.contents[content]}, ${receivers} × ${link}`;
}

function cell(ms: number | undefined): string {
  return ms === undefined ? "–" : seconds(ms);
}

function origins({ scenarios, machine }: Results, words: Words): string {
  const commits: string[] = [
    ...new Set(scenarios.map(({ origin }) => `${origin.commit} (${origin.date.slice(0, 10)})`)),
  ];
  return words.origin(commits.join(", "), machine);
}

function delay({ delay: measured }: Results, words: Words): string[] {
  if (measured === undefined) return [];
  const { ms } = measured;
  const [middle = "", least = "", most = ""] = [median(ms), Math.min(...ms), Math.max(...ms)].map((one) =>
    one.toFixed(0),
  );
  return [words.delay(middle, least, most)];
}
