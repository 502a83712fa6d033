/** Everything that is printed, but for. */
import fs from "node:fs";

/** Everything that msync prints but the progress bar. Lines are byte strings, so that any name comes out as it is. */

/** Writes a line to the standard output. */
export function printLine(line: string): void {
  write(1, `${visible(line)}\n`);
}

/** Writes a line of JSON; names that are UTF-8 appear as text. */
export function printJson(value: object): void {
  write(1, Buffer.from(`${JSON.stringify(value, decodeText)}\n`).toString("latin1"));
}

/** Writes an error line to the standard error. */
export function printError(sentence: string): void {
  write(2, `error: ${visible(sentence)}\n`);
}

export function printWarning(sentence: string): void {
  write(2, `warning: ${visible(sentence)}\n`);
}

/** A line stays a line, and no name can play with the terminal: control characters are shown in octal. */
function visible(text: string): string {
  return text.replace(
    /[\x00-\x1f\x7f]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

function decodeText(_: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  const bytes = Buffer.from(value, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : value;
}

function write(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, "latin1");
  for (let written = 0; written < bytes.length;) {
    try {
      written += fs.writeSync(descriptor, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A pipe that is full takes more in a moment. One that nobody reads any more never will; what was asked for
      // is done all the same.
      if (code !== "EAGAIN") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
