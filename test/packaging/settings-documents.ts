/**
 * Writes what the table of settings tells into the documents that repeat it: the sample of the config file, the options and
 * the variables of makuosan(8), and the completions. A test compares; `node test/packaging/settings-documents.ts --write`
 * writes.
 */
import fs from "node:fs";
import path from "node:path";
import { bashOptions, bashValues, fishKeys, fishLines, zshKeys, zshLines } from "./settings-completions.ts";
import { configParagraphs, environmentEntries, optionEntries } from "./settings-sentences.ts";

const ROOT = path.resolve(import.meta.dirname, "..", "..");

export interface SettingsDocument {
  /** Below the project's root. */
  readonly file: string;
  readonly present: string;
  /** The text as the table of settings makes it. */
  readonly expected: string;
}

/** Makes a document's text from its present one, of which it keeps all that people write. */
type Writer = (present: string) => string;

const WRITERS: Readonly<Record<string, Writer>> = {
  "etc/makuosan.conf": (present) => {
    // The opening paragraph is written by hand.
    const [opening = ""] = present.split("\n\n");
    return `${[opening, ...configParagraphs()].join("\n\n")}\n`;
  },
  "packaging/man/makuosan.8": (present) => {
    const withOptions = withBlock(present, "options", optionEntries());
    return withBlock(withOptions, "environment", environmentEntries());
  },
  "packaging/completions/bash/makuosan": (present) =>
    withBlock(withBlock(present, "values", bashValues()), "options", bashOptions()),
  "packaging/completions/zsh/_makuosan": (present) =>
    withBlock(withBlock(present, "options", zshLines()), "keys", zshKeys()),
  "packaging/completions/fish/makuosan.fish": (present) =>
    withBlock(withBlock(present, "options", fishLines()), "keys", fishKeys()),
};

/** Every document that repeats the table, as it is and as it should be. */
export function settingsDocuments(): SettingsDocument[] {
  return Object.entries(WRITERS).map(([file, write]) => {
    const present = fs.readFileSync(path.join(ROOT, file), "utf8");
    return { file, present, expected: write(present) };
  });
}

/** Puts lines between the two comments that mark a block; the comments stay as they are. */
function withBlock(text: string, name: string, lines: readonly string[]): string {
  const block = new RegExp(`(^.*begin of settings: ${name}\\b.*\n)[^]*?(^.*end of settings: ${name}$)`, "m");
  if (!block.test(text)) throw new Error(`no block of settings is called ${name}`);
  return text.replace(block, (_, begin: string, end: string) => `${begin}${lines.join("\n")}\n${end}`);
}

function main(): void {
  for (const { file, present, expected } of settingsDocuments()) {
    if (present === expected) continue;
    console.log(file);
    if (process.argv.includes("--write")) fs.writeFileSync(path.join(ROOT, file), expected);
    else process.exitCode = 1;
  }
}

if (import.meta.main) main();
