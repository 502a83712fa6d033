import fs from "node:fs";
import type { Command } from "commander";
import { UserError } from "../base/user-error.ts";

/** What a push is asked to be, on the command line and in a script alike; names and paths are byte strings. */
export interface SendOptions {
  readonly recursive: boolean;
  readonly dryRun: boolean;
  readonly verbosity: number;
  readonly targets: readonly string[];
  readonly excludes: readonly string[];
  readonly allOrNothing: boolean;
}

/** The same as commander gives it. */
export interface ParsedSendOptions {
  recursive?: boolean;
  dryRun?: boolean;
  verbose?: number;
  target?: string[];
  exclude?: string[];
  excludeFrom?: string[];
  allOrNothing?: boolean;
}

/** Gives a command the options of a push. */
export function addSendOptions(command: Command): Command {
  return command
    .option(
      "-r, --recursive",
      "directories with all that is in them; without a path the whole base directory",
    )
    .option("-n, --dry-run", "only say what would be sent")
    .option(
      "-v, --verbose",
      "say what is updated; twice: what is skipped, too",
      (_, sum: number) => sum + 1,
      0,
    )
    .option("-t, --target <host>", "send to this member only; may be given several times", collect, [])
    .option("--exclude <pattern>", "leave out what this fits; may be given several times", collect, [])
    .option("--exclude-from <file>", "read such patterns from a file, or from - , one a line", collect, [])
    .option("--all-or-nothing", "change nothing anywhere unless every member can take everything");
}

/**
 * Reads the options of a push.
 *
 * @throws UserError for a file of patterns that cannot be read
 */
export function readSendOptions(options: ParsedSendOptions): SendOptions {
  const files = (options.excludeFrom ?? []).map(readPatterns);
  return {
    recursive: options.recursive === true,
    dryRun: options.dryRun === true,
    verbosity: options.verbose ?? 0,
    targets: options.target ?? [],
    excludes: [...(options.exclude ?? []), ...files.flat()],
    allOrNothing: options.allOrNothing === true,
  };
}

function collect(value: string, values: string[]): string[] {
  return [...values, value];
}

/** The patterns of a file, one a line. There are no comments: `#*#` is what an editor leaves behind. */
function readPatterns(file: string): string[] {
  let text: string;
  try {
    text = fs.readFileSync(file === "-" ? 0 : Buffer.from(file, "latin1"), "latin1");
  } catch (error) {
    throw new UserError(
      `the exclude patterns of ${file} cannot be read (${(error as NodeJS.ErrnoException).code}): name another file`,
    );
  }
  return text.split(/\r?\n/).filter((line) => line !== "");
}
