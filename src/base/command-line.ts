/** What the command lines of both programs share: old options, and sentences for mistakes. */
import { UserError } from "./user-error.ts";

/** An option of versions before 2, with a phrase that tells what replaces it. */
export interface ReplacedOption {
  /** As commander has flags. An argument is in square brackets, so that the answer is the same without one. */
  readonly flags: string;
  readonly instead: string;
}

/** The part of commander's command that tells whether an option was given. */
interface GivenOptions {
  readonly options: readonly { readonly flags: string; attributeName(): string }[];
  getOptionValueSource(name: string): string | undefined;
}

/** @throws UserError if one of these options was given */
export function checkReplaced(command: GivenOptions, replaced: readonly ReplacedOption[]): void {
  for (const { flags, instead } of replaced) {
    const option = command.options.find((one) => one.flags === flags);
    if (option === undefined || command.getOptionValueSource(option.attributeName()) !== "cli") continue;
    throw new UserError(`${flags.split(" [")[0]} is no option any more: ${instead}`);
  }
}

/**
 * The sentence of commander about a command line, in one line.
 *
 * @param message such as "error: unknown option '--delte'\n(Did you mean --delete?)"
 * @param help where all options are listed
 * @param options all options
 * @param other the other program, with the options that only it has
 */
export function commandLineError(
  message: string,
  help: string,
  options: readonly KnownOption[],
  other?: OtherProgram,
): UserError {
  const [, unknown = ""] = /unknown option '(-[^=']+)/.exec(message) ?? [];
  if (other?.options.includes(unknown) === true)
    return new UserError(
      `${unknown} is an option of ${other.name}: '${other.name} --help' lists its options`,
    );
  // Commander calls an option unknown that has got a value and takes none.
  if (options.some(({ long }) => long === unknown))
    return new UserError(`${unknown} takes no value: leave out what follows the '='`);
  const opposite = oppositeOf(unknown, options);
  if (opposite !== undefined)
    return new UserError(
      `unknown option '${unknown}': there is only ${opposite}, which means the opposite; ${help}`,
    );
  const [first = "", hint = similarOption(message, options)] = message.replace(/^error: /, "").split("\n");
  const meant = hint === "" ? "" : `: ${hint.slice(1, -1).replace(/^D/, "d")}`;
  return new UserError(meant === "" ? `${first}: ${help}` : `${first}${meant} ${help}`);
}

/** A program whose options are sometimes given to another one. */
export interface OtherProgram {
  readonly name: "makuosan" | "msync";
  /** Their long names. */
  readonly options: readonly string[];
}

/** An option of a command; `long` is such as --delete. */
interface KnownOption {
  readonly long?: string | undefined;
}

/** The option that switches to the contrary: it is the most similar one, and must not be advised. */
function oppositeOf(unknown: string, options: readonly KnownOption[]): string | undefined {
  const contrary = unknown.startsWith("--no-")
    ? unknown.replace("--no-", "--")
    : unknown.replace(/^--/, "--no-");
  return unknown === "" ? undefined : options.find(({ long }) => long === contrary)?.long;
}

/** The hint of commander, which it does not give for an option with a value, such as --bse=/srv. */
function similarOption(message: string, options: readonly KnownOption[]): string {
  const [, given] = /unknown option '(--[^=']+)=/.exec(message) ?? [];
  if (given === undefined) return "";
  const similar = similarWord(
    given,
    options.flatMap(({ long }) => long ?? []),
  );
  return similar === undefined ? "" : `(Did you mean ${similar}?)`;
}

/** A word with more than this share of its letters wrong is another word. */
const WRONG_SHARE = 0.4;

/**
 * The word that was probably meant: one that differs in some letters, or else one with more letters after it, such as
 * "base" of "base_dir".
 *
 * @returns undefined if none of the words is similar
 */
export function similarWord(word: string, words: readonly string[]): string | undefined {
  const most = Math.ceil(word.length * WRONG_SHARE);
  const ranked = words
    .map((one) => ({ one, distance: editDistance(word.slice(0, 64).toLowerCase(), one.toLowerCase()) }))
    .filter(({ one, distance }) => distance <= most && distance < one.length)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.one ?? words.find((one) => new RegExp(`^${one}[-_]`, "i").test(word));
}

/** How many letters have to be added, removed, exchanged or swapped with the next to make one word of the other. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1];
      const swapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      row[j] = Math.min(
        (row[j - 1] ?? 0) + 1,
        (last[j] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
        swapped ? (beforeLast[j - 2] ?? 0) + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, row];
  }
  return last[to.length] ?? 0;
}
