/** All output of msync except the progress bar. Lines are byte strings; displayText() turns them into text. */
import fs from "node:fs";
import { ExitStatus } from "../base/user-error.ts";
import { displayJson, displayText } from "../base/display.ts";

/** A pipe that is full is tried again after this time: its reader mostly needs less. */
const PIPE_MS = 5;

/** The first failure to write, except for a pipe that nobody reads any more. */
let failure: string | undefined;

/** Writes a line to the standard output. */
export function printLine(line: string): void {
  write(1, `${displayText(line)}\n`);
}

/** Writes text of several lines that the program itself consists of. */
export function printText(text: string): void {
  write(1, text);
}

/** Writes a line of JSON; names that are UTF-8 appear as text. */
export function printJson(value: object): void {
  write(1, `${displayJson(JSON.stringify(value, decodeText))}\n`);
}

/** Writes an error line to the standard error. */
export function printError(sentence: string): void {
  write(2, `error: ${displayText(sentence)}\n`);
}

export function printWarning(sentence: string): void {
  write(2, `warning: ${displayText(sentence)}\n`);
}

/**
 * Says what could not be printed, as far as that can be said.
 *
 * @param exitStatus what the command itself came to
 * @returns the exit status of the command: output that is missing is an error, too
 */
export function closeOutput(exitStatus: number): number {
  if (failure === undefined) return exitStatus;
  printError(`the output cannot be written (${failure}): make room, or send it to another place`);
  return exitStatus === ExitStatus.ok ? ExitStatus.usage : exitStatus;
}

function decodeText(_: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  const bytes = Buffer.from(value, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : value;
}

function write(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) {
    try {
      written += fs.writeSync(descriptor, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EAGAIN") {
        // A pipe that nobody reads any more is no error: the reader has what it wanted, as with `| head -1`. What was
        // asked for is done anyway.
        if (code !== "EPIPE") failure ??= code ?? String(error);
        return;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PIPE_MS);
    }
  }
}
