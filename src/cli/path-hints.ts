/** Says what was probably meant by a path that does not exist: an option, or a file as the shell sees it. */
import fs from "node:fs";
import path from "node:path";
import { isPattern } from "../base/glob.ts";
import { bytesOfText } from "../base/display.ts";
import type { ConsoleClient } from "../console/client.ts";
import { normalizePath } from "../wire/request-paths.ts";

/** Words that are typed as commands, with the option that does it. The older program had most of them as commands. */
const MEANT: Readonly<Record<string, string>> = {
  members: "--members",
  status: "--status",
  history: "--history",
  doctor: "--doctor",
  top: "--top",
  help: "--help",
  version: "--version",
  watch: "--watch",
  keygen: "--keygen",
  loglevel: "-l LEVEL",
  wait: "--wait NUMBER",
  "catch-up": "--catch-up",
  undo: "--undo",
  check: "--check",
  md5: "--check",
  sync: "--sync PATH",
  dsync: "-r --delete",
  exclude: "--exclude PATTERN",
  verbose: "-v",
  send: "PATH",
  push: "PATH",
};

/** Of the console of older versions: they mean something in scripts alone. */
const OF_SCRIPTS: readonly string[] = ["echo", "alive", "quit", "exit", "bye"];

/**
 * What a word means as a command.
 *
 * @returns the end of a sentence; undefined for a word that is no command
 */
export function commandHint(word: string): string | undefined {
  if (Object.hasOwn(MEANT, word)) return `did you mean 'msync ${MEANT[word]}'?`;
  return OF_SCRIPTS.includes(word) ? `'${word}' is a command of scripts: see 'msync -f SCRIPT'` : undefined;
}

/** Knows the paths of a push as they were typed. */
export class PathHints {
  private readonly typed: readonly string[];

  constructor(typed: readonly string[]) {
    this.typed = typed;
  }

  /** What a push without any member was probably meant to be; undefined if it is none of a command's words. */
  instead(): string | undefined {
    const [first = ""] = this.typed;
    return commandHint(first);
  }

  /**
   * What was probably meant by a path that the daemon has not found.
   *
   * @param missing as the daemon has it
   * @param client is asked for the base directory; nothing else is being asked
   * @returns the end of a sentence; undefined if nothing is known
   */
  async for(missing: string, client: ConsoleClient): Promise<string | undefined> {
    const typed = this.typed.find((one) => normalizePath(one) === missing);
    if (typed === undefined) return undefined;
    const command = commandHint(typed);
    if (command !== undefined) return command;
    const place = placeOf(typed);
    const isMatched = isPattern(typed);
    if (place === undefined && !isMatched) return undefined;
    const base = await baseOf(client);
    if (base === undefined) return undefined;
    if (place === undefined)
      return `a shell looks in its current directory for what matches: run msync in ${base.shown}`;
    const below = pathBelow(base.real, place);
    return below === undefined
      ? `paths are relative to the base directory ${base.shown}`
      : `paths are relative to the base directory ${base.shown}: write '${below}'`;
  }
}

/** Where the entry is that a shell would take a path for, without links; undefined if there is none. */
function placeOf(typed: string): string | undefined {
  try {
    const full = typed.startsWith("/") ? typed : `${bytesOfText(process.cwd())}/${typed}`;
    fs.lstatSync(Buffer.from(full, "latin1"));
    // The entry itself may be a link, which is sent as such.
    return path.posix.join(realPath(path.posix.dirname(full)), path.posix.basename(full));
  } catch {
    return undefined;
  }
}

function realPath(file: string): string {
  return fs.realpathSync.native(Buffer.from(file, "latin1"), "latin1");
}

/** The base directory as the daemon says it, and without links; undefined if this process does not see it. */
async function baseOf(client: ConsoleClient): Promise<{ shown: string; real: string } | undefined> {
  const result = await client.request({ command: "status" }, () => undefined);
  if (result.result !== "status") return undefined;
  const shown = result.values.find(([key]) => key === "basedir")?.[1] ?? "";
  try {
    return { shown, real: realPath(shown) };
  } catch {
    return undefined;
  }
}

function pathBelow(base: string, place: string): string | undefined {
  const prefix = base === "/" ? base : `${base}/`;
  return place.startsWith(prefix) ? place.slice(prefix.length) : undefined;
}
