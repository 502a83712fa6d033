/** All output of msync except the progress bar. Lines are byte strings; displayText() turns them into text. */
import { ExitStatus } from "../base/user-error.ts";
import { displayJson, displayText } from "../base/display.ts";
import { inLanguage } from "./language.ts";
import { outputProblem, writeOutput } from "../sys/output.ts";

/** Writes a line to the standard output. */
export function printLine(line: string): void {
  writeOutput(1, `${displayText(line)}\n`);
}

/** Writes a sentence to the standard output, in the language of the user. Lines that scripts read are no sentences. */
export function printSentence(sentence: string): void {
  printLine(inLanguage(sentence));
}

/** Writes text of several lines that the program itself consists of. */
export function printText(text: string): void {
  writeOutput(1, text);
}

/** Writes a line of JSON; names that are UTF-8 appear as text. */
export function printJson(value: object): void {
  writeOutput(1, `${displayJson(JSON.stringify(value, decodeText))}\n`);
}

/** Writes an error line to the standard error, in the language of the user. */
export function printError(sentence: string): void {
  writeOutput(2, `error: ${displayText(inLanguage(sentence))}\n`);
}

/** The same for a warning. */
export function printWarning(sentence: string): void {
  writeOutput(2, `warning: ${displayText(inLanguage(sentence))}\n`);
}

/**
 * Says what could not be printed, as far as that can be said.
 *
 * @param exitStatus what the command itself came to
 * @returns the exit status of the command: output that is missing is an error, too
 */
export function closeOutput(exitStatus: number): number {
  const problem = outputProblem();
  if (problem === undefined) return exitStatus;
  printError(problem);
  return exitStatus === ExitStatus.ok ? ExitStatus.usage : exitStatus;
}

function decodeText(_: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  const bytes = Buffer.from(value, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : value;
}
