/** Why something failed, as data: a code, its arguments, the path, and when. Only this file makes sentences of it. */
import { REASONS, type ReasonCode } from "./reason-catalogue.ts";

/**
 * How far the transfer was: "before" the switch, nothing has changed; "during" the switch, everything is new except for
 * this path; "after" the switch, everything is new.
 */
export type When = "before" | "during" | "after";

export interface Reason {
  readonly code: ReasonCode;
  /** Values for the places of the code's sentence. */
  readonly args: readonly string[];
  /** A byte string; empty for the base directory, undefined if the reason concerns no path. */
  readonly path: string | undefined;
  readonly when: When;
  /** How many more reasons of this kind there are. */
  readonly more: number;
}

/** A reason for a failure before the switch: nothing has changed. */
export function reason(code: ReasonCode, path?: string, ...args: readonly (string | number)[]): Reason {
  return { code, path, args: args.map(String), when: "before", more: 0 };
}

/** The sentence of a code, without a path. */
export function sentence(code: ReasonCode, ...args: readonly (string | number)[]): string {
  return sentenceOf(reason(code, undefined, ...args));
}

const BASE_DIRECTORY = "the base directory";

/** The beginning of the sentence for each `When`. */
const BEGINNINGS: readonly (readonly [When, string])[] = [
  ["during", "all is new but "],
  ["after", "all is new, but "],
];

/** The English sentence of a reason, in the form in which it is sent (PROTOCOL.md 5.8). */
export function sentenceOf({ code, args, path, when, more }: Reason): string {
  const beginning = BEGINNINGS.find(([one]) => one === when)?.[1] ?? "";
  const place = path === undefined ? "" : `${path === "" ? BASE_DIRECTORY : path}: `;
  const text = REASONS[code].replace(/\{(\d)\}/g, (_, index: string) => args[Number(index)] ?? "");
  return `${beginning}${place}${text}${more === 0 ? "" : ` (and ${more} more)`}`;
}

/**
 * Finds the reason that belongs to a sentence. Members of other versions may send sentences that are not in this
 * catalogue: they get the code "other", and are shown as they arrived.
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

/** One pattern for each code, made at the first call. The path is the longest beginning before a colon. */
function patterns(): readonly CataloguePattern[] {
  known ??= Object.entries(REASONS)
    .filter(([code]) => code !== "other")
    .map(([code, text]) => {
      const escaped = text.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\d\}/g, "([^]*)");
      return { code: code as ReasonCode, pattern: new RegExp(`^(?:([^]+): )?${escaped}$`) };
    });
  return known;
}
