import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * Transcripts: what engines said and did in a few fixed runs, with virtual times, beside the tests. Any change of
 * behaviour shows as another line. Such a change may be meant: then it is to be looked at line by line, and
 * `TRANSCRIPTS=write node --test test/engine/*.test.ts` writes the files anew.
 */

const FOLDER = path.join(import.meta.dirname, "transcripts");

const HEAD = [
  "# What engines said and did in a fixed run, in virtual milliseconds. A test compares it line by line.",
  "# Has a line changed, then so has the behaviour: look whether that was meant. If so, this writes the file anew:",
  "#   TRANSCRIPTS=write node --test test/engine/*.test.ts",
  "",
];

/** Compares lines with those of a file, or writes them into it where that is asked for. */
export function compareTranscript(name: string, lines: readonly string[]): void {
  const file = path.join(FOLDER, `${name}.txt`);
  if (process.env["TRANSCRIPTS"] === "write") {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, [...HEAD, ...lines, ""].join("\n"));
    return;
  }
  const expected = readFileSync(file, "utf8").split("\n").slice(HEAD.length, -1);
  const index = expected.findIndex((line, at) => line !== lines[at]);
  if (index >= 0)
    assert.equal(lines[index], expected[index], `line ${index + 1 + HEAD.length} of ${name}.txt`);
  assert.equal(lines.length, expected.length, `lines of ${name}.txt`);
}

/** A number of milliseconds for people: up to three digits behind the point. */
export function time(ms: number): string {
  return String(Math.round(ms * 1000) / 1000);
}
