import { Command, InvalidArgumentError, Option } from "commander";
import { CONTENDER_NAMES } from "./peers/contenders.ts";
import type { Content, ScenarioChoice, Units } from "./scenario.ts";

/** The command line of the benchmark. */

export interface BenchOptions {
  readonly scenarios: ScenarioChoice;
  /** Undefined for those from whom something follows in each scenario. */
  readonly peers: readonly string[] | undefined;
  /** Whether programs that have to be told a rate try all of them, or the one that is their best most of the time. */
  readonly hasAllRates: boolean;
  readonly rounds: number;
  readonly measures: readonly Measure[];
  /** How many empty files are in the tree for memory, and in the one with nothing new for "many". */
  readonly entries: number;
  /** Where results are kept, and replaced one scenario at a time; undefined for nowhere. */
  readonly results: string | undefined;
  readonly readme: boolean;
}

/** The parts of the benchmark. */
export type Measure = "times" | "delay" | "memory" | "many" | "scale" | "none";

interface Parsed {
  quick: boolean;
  contents?: string[];
  receivers?: number[];
  speed?: (number | undefined)[];
  loss?: number[];
  units?: string[];
  peers?: string[];
  rounds?: number;
  measures?: string[];
  entries?: number;
  results?: string;
  readme: boolean;
}

const MEASURES: readonly Measure[] = ["times", "delay", "memory", "many", "scale"];
const CONTENTS: readonly Content[] = ["big", "text", "tree", "unchanged", "moved", "edited", "unlike"];
const QUICK_PEERS: readonly string[] = ["makuosan", "plain", "rsync", "uftp", "udpcast"];
const UNITS: readonly Units[] = ["trains", "datagrams"];

/** Reads the command line; on --help or a mistake it says so and ends the program. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const command: Command = new Command("bench")
    .description("Measures makuosan beside rsync, uftp and udpcast, between network namespaces. Needs root.")
    .option("--quick", "a short form, of about two minutes", false)
    .addOption(choices("--measures <list>", "what is measured", [...MEASURES, "none"]))
    .addOption(choices("--contents <list>", "what is sent", CONTENTS))
    .addOption(numbers("--receivers <list>", "numbers of receivers", 1, 200))
    .option("--speed <list>", "link speeds in Mbit/s, none for unlimited", parseSpeeds)
    .addOption(numbers("--loss <list>", "percent lost at each receiver", 0, 90))
    .addOption(choices("--units <list>", "what is on the links, and gets lost", UNITS))
    .addOption(choices("--peers <list>", "who takes part", CONTENDER_NAMES))
    .option("--rounds <number>", "how often each is measured", (text) => parseNumber(text, 1, 100))
    .option("--entries <number>", "empty files of the trees for memory and many", (text) =>
      parseNumber(text, 1, 4_000_000),
    )
    .option("--results <file>", "keep the results in this JSON file, and draw charts beside it")
    .option("--readme", "write the results into the READMEs", false);
  return defaults(command.parse(args, { from: "user" }).opts<Parsed>());
}

function defaults(given: Parsed): BenchOptions {
  const quick: boolean = given.quick;
  return {
    scenarios: {
      contents: (given.contents as Content[] | undefined) ?? CONTENTS,
      receivers: given.receivers ?? (quick ? [4] : [4, 16]),
      speedsMbps: given.speed ?? (quick ? [undefined, 1000] : [undefined, 1000, 100]),
      lossPercents: given.loss ?? (quick ? [0] : [0, 1, 5]),
      units: (given.units as Units[] | undefined) ?? (quick ? ["trains"] : UNITS),
      smallUnlimitedOnly: quick && given.speed === undefined,
      tellingOnly: given.contents === undefined && given.receivers === undefined && given.speed === undefined,
    },
    peers: given.peers ?? (quick ? QUICK_PEERS : undefined),
    hasAllRates: !quick,
    rounds: given.rounds ?? (quick ? 1 : 3),
    measures: (given.measures as Measure[] | undefined) ?? (quick ? ["delay", "times"] : MEASURES),
    entries: given.entries ?? (quick ? 50_000 : 1_000_000),
    results: given.results,
    readme: given.readme,
  };
}

function choices(flags: string, description: string, names: readonly string[]): Option {
  return new Option(flags, `${description}: ${names.join(",")}`).argParser((text: string): string[] => {
    const chosen: string[] = text.split(",");
    for (const name of chosen) {
      if (!names.includes(name)) throw new InvalidArgumentError(`"${name}" is none of ${names.join(", ")}.`);
    }
    return chosen;
  });
}

function numbers(flags: string, description: string, least: number, most: number): Option {
  return new Option(flags, description).argParser((text: string): number[] =>
    text.split(",").map((one) => parseNumber(one, least, most)),
  );
}

function parseSpeeds(text: string): (number | undefined)[] {
  return text.split(",").map((one) => (one === "none" ? undefined : parseNumber(one, 1, 100_000)));
}

function parseNumber(text: string, least: number, most: number): number {
  const value: number = Number(text);
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`"${text}" is not a number from ${least} to ${most}.`);
}
