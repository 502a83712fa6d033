/** A script, line by line. */
import fs from "node:fs";
import readline from "node:readline";
import type { Readable } from "node:stream";
import { ExitStatus, UserError } from "../base/user-error.ts";
import type { ConsoleClient } from "../console/client.ts";
import type { Interrupt } from "./interrupt.ts";
import type { CommandOptions } from "./options.ts";
import { printError } from "./output.ts";
import { findCommand, type ScriptState } from "./script-commands.ts";
import { splitWords } from "../base/words.ts";

/**
 * Carries out the commands of a script, one a line, over one connection.
 *
 * @returns the exit status of the first command that failed
 */
export async function runScript(
  client: ConsoleClient,
  file: string,
  options: CommandOptions,
  interrupt: Interrupt,
): Promise<number> {
  const input = openScript(file);
  const lines = readline.createInterface({ input, crlfDelay: Infinity });
  interrupt.onHappened = () => lines.close();
  const { excludes, verbosity } = options.send;
  const state: ScriptState = {
    client,
    options,
    interrupt,
    excludes: [...excludes],
    verbosity,
    isEnded: false,
  };
  let status: number = ExitStatus.ok;
  let number = 0;
  try {
    for await (const line of lines) {
      if (interrupt.happened) break;
      number++;
      const ended = await runLine(state, line, `${file === "-" ? "standard input" : file}:${number}`);
      if (status === ExitStatus.ok) status = ended;
      if (state.isEnded || client.isClosed || (ended !== ExitStatus.ok && !options.keepGoing)) break;
    }
  } catch (error) {
    throw unreadable(file, error);
  } finally {
    input.destroy();
  }
  return interrupt.happened ? ExitStatus.interrupted : status;
}

async function runLine(state: ScriptState, text: string, place: string): Promise<number> {
  // Some editors begin a file with this mark, which is UTF-8 for the order of bytes.
  const line = text.replace(/^\xef\xbb\xbf/, "");
  try {
    if (line.includes("\0"))
      throw new UserError("the line has a NUL byte in it: save the script as text in UTF-8");
    const [name, ...args] = splitWords(line);
    return name === undefined ? ExitStatus.ok : await findCommand(name)(state, args);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    printError(`${place}: ${error.message}`);
    return error.exitStatus;
  }
}

/** A script as byte strings. */
function openScript(file: string): Readable {
  if (file === "-") return process.stdin.setEncoding("latin1");
  try {
    const fd = fs.openSync(Buffer.from(file, "latin1"), "r");
    return fs.createReadStream("", { fd, encoding: "latin1" });
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): UserError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return new UserError(`the script ${file} cannot be read (${code}): name another file`);
}
