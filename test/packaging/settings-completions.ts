/** The settings as the completions of the three shells write them. */
import type { Completion } from "../../src/daemon/settings/forms.ts";
import { optionName, type Setting } from "../../src/daemon/settings/setting.ts";
import { ALL_SETTINGS } from "../../src/daemon/settings/settings-table.ts";

/** The width of a line, without its indentation of up to 12. */
const COLUMNS = 106;

/** For each kind of value, what the shells call to offer some. */
const OFFERS = {
  directory: { bash: "_filedir -d", zsh: "_files -/", fish: "-x -a '(__fish_complete_directories)'" },
  file: { bash: "_filedir", zsh: "_files", fish: "-r -F" },
  user: { bash: offerWords("-u"), zsh: "_users", fish: "-x -a '(__fish_complete_users)'" },
  group: { bash: offerWords("-g"), zsh: "_groups", fish: "-x -a '(__fish_complete_groups)'" },
  interface: {
    bash: offerWords('-W "$(ls /sys/class/net)"'),
    zsh: "_net_interfaces",
    fish: "-x -a '(__fish_print_interfaces)'",
  },
} as const;

/** Cases of what stands before the word that bash completes. */
export function bashValues(): string[] {
  const cases = new Map<string, string[]>();
  for (const setting of ALL_SETTINGS.filter(hasValue)) {
    const offer = bashOffer(setting.form.completion);
    cases.set(offer, [...(cases.get(offer) ?? []), ...namesOf(setting)]);
  }
  return [...cases].flatMap(([offer, names]) => [
    `        ${wrapped(names, " | ", " | \\").join("\n            ")})`,
    ...(offer === "" ? [] : [`            ${offer}`]),
    "            return",
    "            ;;",
  ]);
}

/** The long options for bash. */
export function bashOptions(): string[] {
  const names = ALL_SETTINGS.map((setting) => namesOf(setting).at(-1) ?? "");
  return [`    local options='${wrapped(names, " ", "").join("\n        ")}'`];
}

const keyLines = () =>
  wrapped(
    ALL_SETTINGS.map(({ key }) => key),
    " ",
    "",
  );

/** The keys for zsh. */
export function zshKeys(): string[] {
  return [`  keys=(${keyLines().join("\n    ")})`];
}

/** The keys for fish. */
export function fishKeys(): string[] {
  return [`set -l keys ${keyLines().join(" \\\n    ")}`];
}

/** The specifications of zsh's _arguments. */
export function zshLines(): string[] {
  return ALL_SETTINGS.map((setting) => {
    const [first = "", second] = namesOf(setting);
    const isList = setting.form.kind === "list";
    const isShort = second !== undefined;
    const [joinsShort, joinsLong] = hasValue(setting) ? ["+", "="] : ["", ""];
    const names = isShort ? `{${first}${joinsShort},${second}${joinsLong}}` : `${first}${joinsLong}`;
    const exclusive = isList ? "*" : isShort ? `(${first} ${second})` : "";
    const meaning = `[${phraseOf(setting).replaceAll("'", "'\\''")}]`;
    const quoted = isShort ? `'${exclusive}'${names}'` : `'${exclusive}${names}`;
    return `  ${quoted}${meaning}${hasValue(setting) ? `:${valueName(setting)}:${zshOffer(setting)}` : ""}'`;
  });
}

/** The commands of fish. */
export function fishLines(): string[] {
  return ALL_SETTINGS.map((setting) => {
    const names = namesOf(setting).map((name) => name.replace(/^--/, "-l ").replace(/^-(?=\w$)/, "-s "));
    const phrase = phraseOf(setting).replaceAll("'", "\\'");
    const meaning = `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}`;
    const offer = hasValue(setting) ? [fishOffer(setting.form.completion)] : [];
    return ["complete -c makuosan", ...names, ...offer, `-d '${meaning}'`].join(" ");
  });
}

function hasValue({ form }: Setting): boolean {
  return form.kind !== "flag";
}

/** The short name, if there is one, and the long one. */
function namesOf(setting: Setting): string[] {
  return optionName(setting).split(", ");
}

function valueName({ option }: Setting): string {
  return /<(.*)>/.exec(option)?.[1] ?? "";
}

function phraseOf({ help, helpOff }: Setting): string {
  return helpOff ?? help;
}

function offerWords(choice: string): string {
  return `mapfile -t COMPREPLY < <(compgen ${choice} -- "$cur")`;
}

function bashOffer(completion: Completion | undefined): string {
  if (completion === undefined) return "";
  return typeof completion === "string"
    ? OFFERS[completion].bash
    : offerWords(`-W '${completion.join(" ")}'`);
}

function zshOffer({ form: { completion, kind } }: Setting): string {
  if (completion === undefined) return " ";
  if (typeof completion !== "string") return `(${completion.join(" ")})`;
  return kind === "list" ? `_sequence ${OFFERS[completion].zsh}` : OFFERS[completion].zsh;
}

function fishOffer(completion: Completion | undefined): string {
  if (completion === undefined) return "-x";
  return typeof completion === "string" ? OFFERS[completion].fish : `-x -a '${completion.join(" ")}'`;
}

/** Words on lines of some width: with `between` inside of a line, and `joint` at the end of one that goes on. */
function wrapped(words: readonly string[], between: string, joint: string): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + between.length + word.length + joint.length <= COLUMNS) {
      lines[lines.length - 1] = `${last}${between}${word}`;
    } else {
      if (last !== undefined) lines[lines.length - 1] = `${last}${joint}`;
      lines.push(word);
    }
  }
  return lines;
}
