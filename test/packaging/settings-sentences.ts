/** The settings in sentences: paragraphs of the config file, and entries of makuosan(8). */
import { defaultTextOf, optionName, type Setting } from "../../src/daemon/settings/setting.ts";
import { ALL_SETTINGS } from "../../src/daemon/settings/settings-table.ts";

/** The width of a line in the config file. */
const COLUMNS = 118;

/** A paragraph for each setting: sentences in comments, and the line that sets it or shows its default or an example. */
export function configParagraphs(): string[] {
  return ALL_SETTINGS.map((setting) => {
    const { key, form, details, shipped, example } = setting;
    const meaning = sentence(setting.help, form.kind === "flag" ? ": yes or no" : rangeOf(setting));
    const value = shipped ?? literalDefaultOf(setting) ?? example ?? "";
    const isExample = shipped === undefined && literalDefaultOf(setting) === undefined;
    const note = value === literalDefaultOf(setting) ? undefined : `The default is ${defaultOf(setting)}.`;
    const comment = [meaning, details, note, isExample ? "An example:" : undefined].filter(Boolean).join(" ");
    return `${wrapped(comment)}\n${shipped === undefined ? "#" : ""}${key} = ${value}`;
  });
}

/** The tagged paragraphs of the options, in the language of man(7). */
export function optionEntries(): string[] {
  return ALL_SETTINGS.flatMap((setting) => {
    const { help, helpOff, details } = setting;
    return [
      ".TP",
      taggedOption(setting.option),
      ...roffLines(sentence(helpOff ?? help, rangeOf(setting))),
      // A page has no need to name itself.
      ...roffLines((details ?? "").replace(" in makuosan(8)", "")),
      ...roffLines(setting.form.kind === "list" ? "This option can be given several times." : ""),
      ...(helpOff === undefined ? roffLines(`Default: ${defaultOf(setting)}.`) : []),
    ];
  });
}

/** The tagged paragraphs of the variables. */
export function environmentEntries(): string[] {
  return ALL_SETTINGS.filter(({ environment }) => environment !== undefined).flatMap((setting) => [
    ".TP",
    `.B ${setting.environment}`,
    ...roffLines(`The value of ${optionName(setting).split(", ").at(-1)}.`),
  ]);
}

/** The default in words, "none" if there is none. */
export function defaultOf(setting: Setting): string {
  return defaultTextOf(setting) ?? "none";
}

/** The default as a line of the config file writes it; undefined if that is not possible. */
export function literalDefaultOf(setting: Setting): string | undefined {
  return setting.defaultText === undefined ? defaultTextOf(setting) : undefined;
}

/** The bounds of a number, behind what it is; empty for all others. */
export function rangeOf({ form }: Setting): string {
  return form.range === undefined ? "" : `, ${form.range.join(" to ")}`;
}

function sentence(phrase: string, addition: string): string {
  return `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}${addition}.`;
}

function wrapped(comment: string): string {
  const lines: string[] = [];
  for (const word of comment.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > COLUMNS) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join("\n");
}

/** The name of an option in bold, and its value in italics. */
function taggedOption(option: string): string {
  const [names = "", value] = option.split(" <");
  const bold = names.split(", ").map((name) => `\\fB${name.replaceAll("-", "\\-")}\\fR`);
  return `${bold.join(", ")}${value === undefined ? "" : ` \\fI${value.slice(0, -1).toUpperCase()}\\fR`}`;
}

/** A line for each sentence, with options and the names of pages in bold. */
function roffLines(sentences: string): string[] {
  return sentences.split(/(?<=\.) (?=[A-Z])/).flatMap((one) => {
    const marked = one
      .replace(/(?<= |^)-(?=[ .])/g, "\\-")
      .replace(/(?<= |^)--?[a-z][a-z-]*/g, (option) => `\\fB${option.replaceAll("-", "\\-")}\\fR`)
      .replace(/\b([a-z.]+)(?=\(\d\))/g, "\\fB$1\\fR");
    return marked === "" ? [] : [marked];
  });
}
