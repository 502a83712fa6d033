/** Translates the sentences of msync and of the daemon into Japanese, by the catalogues beside this file. */
import { bytesOfText } from "../base/display.ts";
import { type ReasonCode, REASONS } from "../base/reason-catalogue.ts";
import type { Reason } from "../base/reason.ts";
import { JAPANESE_DAEMON } from "./japanese-daemon.ts";
import { JAPANESE_FINDINGS } from "./japanese-findings.ts";
import { JAPANESE_HELP } from "./japanese-help.ts";
import { JAPANESE_BASE, JAPANESE_BEGINNINGS, JAPANESE_MENDS, JAPANESE_REASONS } from "./japanese-reasons.ts";
import { JAPANESE_SENTENCES } from "./japanese-sentences.ts";
import { JAPANESE_SETTINGS } from "./japanese-settings.ts";

export { JAPANESE_PHRASES } from "./japanese-phrases.ts";

/** All sentences except reasons, by the English ones. */
export const CATALOGUE: Readonly<Record<string, string>> = {
  ...JAPANESE_SENTENCES,
  ...JAPANESE_FINDINGS,
  ...JAPANESE_HELP,
  ...JAPANESE_DAEMON,
  ...JAPANESE_SETTINGS,
};

/** All but that of sentences in no catalogue. */
const REASON_CODES = (Object.keys(REASONS) as ReasonCode[]).filter((code) => code !== "other");

/** The same for reasons as sentences: some come without their data. */
const REASON_SENTENCES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(REASON_CODES.map((code) => [REASONS[code], JAPANESE_REASONS[code]])),
  "all is new but {0}": `${JAPANESE_BEGINNINGS.during}{0*}`,
  "all is new, but {0}": `${JAPANESE_BEGINNINGS.after}{0*}`,
  "{0} (and {1} more)": "{0*}（ほか {1} 件）",
};

/** An English sentence, cut at its places. */
interface Form {
  /** The text before, between and after the places, which are numbered from 0. */
  readonly pieces: readonly string[];
  /** The Japanese sentence as a byte string. */
  readonly japanese: string;
}

/** The form with the most text comes first: it says more about a sentence than another one that matches. */
const FORMS: readonly Form[] = Object.entries({ ...REASON_SENTENCES, ...CATALOGUE })
  .map(([english, japanese]) => ({ pieces: english.split(/\{\d\}/), japanese: bytesOfText(japanese) }))
  .sort((a, b) => b.pieces.join("").length - a.pieces.join("").length);

/** A joint between two sentences, with that in Japanese. A question mark belongs to the first one. */
type Joint = readonly [english: RegExp, japanese: string];
const BETWEEN_SENTENCES: readonly Joint[] = [
  [/; /g, "。"],
  [/(?<=\?) /g, ""],
];

/** A form with a joint in it would be cut there, if it were not looked for first. */
const hasJoint = ({ pieces }: Form) =>
  BETWEEN_SENTENCES.some(([joint]) => pieces.some((piece) => piece.search(joint) !== -1));

/** Forms that begin with a place match whatever stands before their text, such as another sentence. */
const staysWhole = (form: Form) => form.pieces[0] !== "" || hasJoint(form);
const WHOLE_FORMS = FORMS.filter(staysWhole);
const OPEN_FORMS = FORMS.filter((form) => !staysWhole(form));

/** After a colon, there is mostly a sentence. Before it, there may be a path. */
const COLON: Joint = [/: /g, ": "];

/** Sentences have fewer parts. The path of somebody else may have thousands, and is not searched for ever. */
const MOST_PARTS = 100;

/**
 * Translates a sentence. Its arguments may be sentences themselves, and it may consist of several ones.
 *
 * @param english a byte string
 * @returns a byte string; undefined if no part of it is in the catalogue
 */
export function japaneseSentence(english: string): string | undefined {
  return translate(english, new Map());
}

/** The results so far, because parts of a sentence are parts of its parts, too. */
type Known = Map<string, string | undefined>;

function translate(english: string, known: Known): string | undefined {
  if (known.has(english) || known.size >= MOST_PARTS) return known.get(english);
  // An argument can be the whole sentence again.
  known.set(english, undefined);
  const found =
    byForm(WHOLE_FORMS, english, known) ??
    byJoints(english, known, true) ??
    byForm(OPEN_FORMS, english, known) ??
    byJoints(english, known, false) ??
    byColon(english, known);
  known.set(english, found);
  return found;
}

function byForm(forms: readonly Form[], english: string, known: Known): string | undefined {
  for (const form of forms) {
    const args = argumentsOf(form, english);
    if (args !== undefined) return fill(form.japanese, args, known);
  }
  return undefined;
}

/** The arguments of a sentence of this form; undefined if it is of another one. In time that grows with its length only. */
function argumentsOf({ pieces }: Form, english: string): string[] | undefined {
  const [first = "", ...others] = pieces;
  const last = others.pop();
  if (last === undefined) return english === first ? [] : undefined;
  if (!english.startsWith(first) || !english.endsWith(last)) return undefined;
  const args: string[] = [];
  let from = first.length;
  for (const piece of others) {
    const at = english.indexOf(piece, from);
    if (at === -1) return undefined;
    args.push(english.slice(from, at));
    from = at + piece.length;
  }
  const end = english.length - last.length;
  return from > end ? undefined : [...args, english.slice(from, end)];
}

/** @param isWhole whether both parts must be in the catalogue */
function byJoints(english: string, known: Known, isWhole: boolean): string | undefined {
  for (const [joint, japanese] of BETWEEN_SENTENCES) {
    for (const { index, 0: between } of english.matchAll(joint)) {
      if (known.size >= MOST_PARTS) return undefined;
      const [left, right] = [english.slice(0, index), english.slice(index + between.length)];
      const [first, second] = [translate(left, known), translate(right, known)];
      const isFound = isWhole ? first !== undefined && second !== undefined : (first ?? second) !== undefined;
      if (isFound) return `${first ?? left}${bytesOfText(japanese)}${second ?? right}`;
    }
  }
  return undefined;
}

function byColon(english: string, known: Known): string | undefined {
  const [colon, japanese] = COLON;
  for (const { index, 0: between } of english.matchAll(colon)) {
    if (known.size >= MOST_PARTS) return undefined;
    const second = translate(english.slice(index + between.length), known);
    if (second !== undefined) return `${english.slice(0, index)}${japanese}${second}`;
  }
  return undefined;
}

/** The Japanese sentence of a reason, with how to fix the cause, as a byte string; undefined if it is in no catalogue. */
export function japaneseReason(cause: Reason): string | undefined {
  return translateReason(cause, new Map());
}

function translateReason({ code, args, path, when, more }: Reason, known: Known): string | undefined {
  if (code === "other") return undefined;
  const place = path === undefined ? "" : `${path === "" ? bytesOfText(JAPANESE_BASE) : path}: `;
  const text = fill(bytesOfText(JAPANESE_REASONS[code]), args, known);
  const rest = more === 0 ? "" : bytesOfText(`（ほか ${more} 件）`);
  const mend = JAPANESE_MENDS[code];
  return (
    bytesOfText(JAPANESE_BEGINNINGS[when]) +
    place +
    text +
    rest +
    (mend === undefined ? "" : bytesOfText(`（${mend}）`))
  );
}

/** Puts arguments into their places, those that are sentences themselves in Japanese. */
function fill(text: string, args: readonly string[], known: Known): string {
  return text.replace(/\{(\d)(\*?)\}/g, (_, place: string, star: string) => {
    const arg = args[Number(place)] ?? "";
    return star === "" ? arg : (translate(arg, known) ?? arg);
  });
}
