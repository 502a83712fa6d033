/** Why something could not be done, as data: a code, its arguments, the path, and when. Sentences are made of it here alone. */
import { REASONS, type ReasonCode } from "./reason-catalogue.ts";

/**
 * How far things were: "before" the switch, so that nothing has changed; "during" it, so that all is new but this; "after"
 * it, so that all is new.
 */
export type When = "before" | "during" | "after";

export interface Reason {
  readonly code: ReasonCode;
  /** What the sentence of the code has places for. */
  readonly args: readonly string[];
  /** A byte string; empty for the base directory, undefined where it is about no path. */
  readonly path: string | undefined;
  readonly when: When;
  /** How many more such there are. */
  readonly more: number;
}

/** A reason that nothing has changed. */
export function reason(code: ReasonCode, path?: string, ...args: readonly (string | number)[]): Reason {
  return { code, path, args: args.map(String), when: "before", more: 0 };
}

/** The sentence of a code alone. */
export function sentence(code: ReasonCode, ...args: readonly (string | number)[]): string {
  return sentenceOf(reason(code, undefined, ...args));
}

const BASE_DIRECTORY = "the base directory";

/** What stands before the sentence, by how far things were. */
const BEGINNINGS: readonly (readonly [When, string])[] = [
  ["during", "all is new but "],
  ["after", "all is new, but "],
];

/** The sentence of a reason: English, and the form in which it goes over the wire (PROTOCOL.md 5.8). */
export function sentenceOf({ code, args, path, when, more }: Reason): string {
  const beginning = BEGINNINGS.find(([one]) => one === when)?.[1] ?? "";
  const place = path === undefined ? "" : `${path === "" ? BASE_DIRECTORY : path}: `;
  const text = REASONS[code].replace(/\{(\d)\}/g, (_, index: string) => args[Number(index)] ?? "");
  return `${beginning}${place}${text}${more === 0 ? "" : ` (and ${more} more)`}`;
}

/**
 * Finds the reason of a sentence again. Members of other versions may have sentences that are not in this catalogue: these
 * have the code "other", and are shown as they came.
 */
export function reasonOf(told: string): Reason {
  const [when, beginning] = BEGINNINGS.find(([, one]) => told.startsWith(one)) ?? ["before", ""];
  const end = / \(and (\d{1,9}) more\)$/.exec(told);
  const isMore = when === "during" && end !== null;
  const text = told.slice(beginning.length, isMore ? end.index : undefined);
  const more = isMore ? Number(end[1]) : 0;
  for (const { code, pattern } of patterns()) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const [, path, ...args] = found;
    return { code, args, path: path === BASE_DIRECTORY ? "" : path, when, more };
  }
  return { code: "other", args: [text], path: undefined, when, more };
}

interface CataloguePattern {
  readonly code: ReasonCode;
  readonly pattern: RegExp;
}

let known: readonly CataloguePattern[] | undefined;

/** One pattern for each code, made when the first is needed; a path is the longest beginning before a colon. */
function patterns(): readonly CataloguePattern[] {
  known ??= Object.entries(REASONS)
    .filter(([code]) => code !== "other")
    .map(([code, text]) => {
      const escaped = text.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\d\}/g, "([^]*)");
      return { code: code as ReasonCode, pattern: new RegExp(`^(?:([^]+): )?${escaped}$`) };
    });
  return known;
}
