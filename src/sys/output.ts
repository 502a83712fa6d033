/** Standard output and standard error of both commands, written completely or with the reason why not. */
import fs from "node:fs";

/** A pipe that is full is tried again after this time: its reader mostly needs less. */
const PIPE_MS = 5;

/** The code of the first failure to write to the standard output. */
let failure: string | undefined;

/**
 * Writes text. If that fails, outputProblem() tells it; the command itself goes on, because what was asked for must not depend
 * on who reads of it.
 *
 * @param descriptor 1 for the standard output, 2 for the standard error
 */
export function writeOutput(descriptor: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) {
    try {
      written += fs.writeSync(descriptor, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EAGAIN") {
        // A failure of the standard error could be told nowhere.
        if (descriptor === 1) failure ??= code ?? String(error);
        return;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PIPE_MS);
    }
  }
}

/** A sentence about output that is missing; undefined if all was written. */
export function outputProblem(): string | undefined {
  if (failure === undefined) return undefined;
  if (failure === "EPIPE") {
    return "nobody reads the output any more (EPIPE): the command was carried out, and a part of its output is missing";
  }
  return `the output cannot be written (${failure}): make room, or send it to another place`;
}
