/** The options of a push, for the command line and for scripts. */
import fs from "node:fs";
import type { Command } from "commander";
import { UserError } from "../base/user-error.ts";
import type { SendRequest } from "../console/protocol.ts";

/** What a push is asked to be, on the command line and in a script alike; names and paths are byte strings. */
export interface SendOptions extends Omit<SendRequest, "command" | "paths" | "detail" | "progress"> {
  readonly verbosity: number;
  /** Whether a last line tells how much it was, also if the output is no terminal. */
  readonly showsStats: boolean;
  readonly wait: Wait | undefined;
}

/** So many members are waited for, so long. */
export interface Wait {
  readonly members: number;
  readonly seconds: number;
}

const WAIT_SECONDS = 60;
const MOST_WAIT = 1_000_000;

/** The same as commander gives it. */
export interface ParsedSendOptions {
  recursive?: boolean;
  dryRun?: boolean | undefined;
  verbose?: number;
  target?: string[];
  except?: string[];
  wait?: string;
  exclude?: string[];
  excludeFrom?: string[];
  group?: string;
  allOrNothing?: boolean;
  delete?: boolean;
  sync?: boolean;
  forceDelete?: boolean;
  checksum?: boolean;
  check?: boolean;
  repair?: boolean;
  xattrs?: boolean;
  compress?: boolean;
  wholeFile?: boolean;
  stats?: boolean;
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
    .option("-t, --target <host>", "send to this member only, or to those of a pattern or an @label", collect)
    .option("--except <host>", "do not send to this member, or to those of a pattern or an @label", collect)
    .option("--wait <number>", "wait until so many members are there, a minute or NUMBER,SECONDS")
    .option("--exclude <pattern>", "leave out entries that match; may be given several times", collect)
    .option("--exclude-from <file>", "read such patterns from a file, or from - , one a line", collect)
    .option("-g, --group <group>", "give everything this group before it is sent")
    .option("--delete", "with -r: delete entries that the sender does not have")
    .option("--sync", "delete the given paths that are gone on the sender")
    .option("--force-delete", "delete however much it is")
    .option("--check", "compare everything by its contents, send nothing, and say what differs")
    .option("--repair", "the same, and send what differs")
    .option("--checksum", "find out by their contents which files differ, not by size and time")
    .option("--xattrs", "send extended attributes and access control lists, too")
    .option("--compress", "compress all contents, whatever the daemon's setting says")
    .option("--no-compress", "compress nothing")
    .option("-W, --whole-file", "send all of each file, also where members have another version of it")
    .option("--stats", "end with a line on how much was sent, in how long, and to how many hosts")
    .option("--all-or-nothing", "change nothing anywhere unless every member can take everything");
}

/**
 * Reads the options of a push.
 *
 * @throws UserError for a file of patterns that cannot be read
 */
export function readSendOptions(options: ParsedSendOptions): SendOptions {
  checkDeletes(options);
  const isCheck = options.check === true || options.repair === true;
  const files = (options.excludeFrom ?? []).map(readPatterns);
  return {
    recursive: options.recursive === true,
    dryRun: options.dryRun === true || (isCheck && options.repair !== true),
    verbosity: options.verbose ?? 0,
    targets: readHosts("-t", options.target),
    excepts: readHosts("--except", options.except),
    wait: options.wait === undefined ? undefined : readWait(options.wait),
    excludes: [...(options.exclude ?? []), ...files.flat()],
    group: readGroup(options.group),
    allOrNothing: options.allOrNothing === true,
    deletes: options.delete === true ? "also" : "nothing",
    syncs: options.sync === true,
    isForced: options.forceDelete === true,
    comparesContents: isCheck || options.checksum === true,
    isCheck,
    sendsAttributes: options.xattrs === true,
    ...(options.compress !== undefined && { compression: options.compress ? "yes" : "no" }),
    ...(options.wholeFile === true && { wholeFile: true }),
    showsStats: options.stats === true,
  };
}

/** @throws UserError for options that make no sense without others */
function checkDeletes(options: ParsedSendOptions): void {
  if (options.delete === true && options.recursive !== true) {
    throw new UserError("--delete looks at directories with all that is in them: add -r");
  }
  if (options.forceDelete === true && options.delete !== true && options.sync !== true) {
    throw new UserError("--force-delete is for --delete and --sync: add one of them");
  }
}

function readWait(text: string): Wait {
  const [, members, seconds = String(WAIT_SECONDS)] = /^(\d{1,7})(?:,(\d{1,7}))?$/.exec(text) ?? [];
  const wait = { members: Number(members), seconds: Number(seconds) };
  if (wait.members <= MOST_WAIT && wait.seconds <= MOST_WAIT) return wait;
  throw new UserError(
    `--wait is '${text}': give a number of members, or one and a time, such as 3,60 for a minute`,
  );
}

/** A variable of a script that is not set must not become a host of no name. */
function readHosts(option: string, hosts: readonly string[] = []): readonly string[] {
  if (!hosts.some((host) => host.trim() === "")) return hosts.map(memberName);
  throw new UserError(`the host of ${option} is empty: name one, or leave ${option} out`);
}

/** A host as a line of --members shows it, such as "web1 10.0.0.1 (Ver2.0.0)", in the form that the daemon knows. */
export function memberName(text: string): string {
  const [, host, address] = /^([^\s()]+) \(?(\d+\.\d+\.\d+\.\d+)\)?(?: \(Ver.*)?$/.exec(text.trim()) ?? [];
  return host === undefined || address === undefined ? text : `${host}(${address})`;
}

function readGroup(group: string | undefined): string {
  if (group === "") throw new UserError("the group of -g is empty: name one, or leave -g out");
  return group ?? "";
}

function collect(value: string, values: string[] = []): string[] {
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
  if (text.includes("\0"))
    throw new UserError(
      `the exclude patterns of ${file} have a NUL byte in them: save them as text in UTF-8`,
    );
  // Some editors begin a file with this mark, which is UTF-8 for the order of bytes.
  const lines = text.replace(/^\xef\xbb\xbf/, "").split(/\r?\n/);
  return lines.filter((line) => line !== "");
}
