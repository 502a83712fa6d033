/** The command line of msync. */
import { DEFAULT_SOCKET } from "../console/protocol.ts";
import { socketPathOf } from "../console/socket-path.ts";
import { Command, CommanderError, Option } from "commander";
import { type Action, checkBesideCheck, checkTogether } from "./combinations.ts";
import { inLanguage } from "./language.ts";
import { MORE_HELP } from "./more-help.ts";
import { printText } from "./output.ts";
import { checkReplaced, commandLineError, type ReplacedOption } from "../base/command-line.ts";
import { UserError } from "../base/user-error.ts";
import { checkPaths, pathsToSend } from "./send.ts";
import {
  addSendOptions,
  memberName,
  type ParsedSendOptions,
  readSendOptions,
  type SendOptions,
} from "./send-options.ts";

declare const __MAKUOSAN_VERSION__: string | undefined;

/** What the command line of msync says; names and paths are byte strings. */
export interface CommandOptions {
  readonly action: Action;
  /** Paths to send; with --doctor, hosts. */
  readonly paths: readonly string[];
  readonly send: SendOptions;
  readonly json: boolean;
  readonly console: string;
  readonly logLevel: string;
  /** How many transfers --history shows. */
  readonly historyCount: number;
  /** The file of a script, or `-`. */
  readonly script: string;
  /** Whether a script goes on after a command that failed. */
  readonly keepGoing: boolean;
  /** The id of the push that --undo takes back; empty for the last one. */
  readonly undoId: string;
  /** Where --keygen writes to; undefined for the standard output. */
  readonly keyFile: string | undefined;
  /** The key file that --keygen adds a key to; undefined where it makes a new one. */
  readonly addTo: string | undefined;
}

interface ParsedOptions extends ParsedSendOptions {
  json?: boolean;
  console?: string;
  loglevel?: string;
  history?: boolean | string;
  script?: string;
  keepGoing?: boolean;
  watch?: boolean;
  members?: boolean;
  status?: boolean;
  doctor?: boolean;
  top?: boolean;
  keygen?: boolean | string;
  catchUp?: boolean;
  undo?: boolean | string;
  add?: string;
}

/** Options of versions before 2, with their replacements. */
const REPLACED: readonly ReplacedOption[] = [
  { flags: "-K [file]", instead: "the owner and the mode of the control socket decide who can run msync" },
];

/** The daemon has them, and msync nothing similar. */
const OF_DAEMON: readonly string[] = [
  ...["--base", "--config", "--check-config", "--set", "--import-sysconfig", "--foreground"],
  ...["--user", "--key", "--interface", "--port", "--multicast", "--socket", "--name", "--labels", "--rate"],
];

const HISTORY_COUNT = 20;
const DEFAULT_TARGET = `unix:${DEFAULT_SOCKET}`;

/** Help or the version was asked for, and has been printed. */
export class PrintedInstead extends Error {}

/**
 * Reads the command line.
 *
 * @throws UserError for an option that is unknown, or options that do not go together
 * @throws PrintedInstead
 */
export function parseOptions(argv: readonly string[], target: string | undefined): CommandOptions {
  const command = msyncCommand();
  // Of two that have one value, only the last one would count.
  const compressing = new Set<string>();
  for (const name of ["compress", "no-compress"])
    command.on(`option:${name}`, () => void compressing.add(name));
  try {
    command.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new PrintedInstead();
    throw commandLineError(error.message, "'msync --help' lists the options", command.options, {
      name: "makuosan",
      options: OF_DAEMON,
    });
  }
  checkReplaced(command, REPLACED);
  const [options, paths] = historyOptions(command.opts<ParsedOptions>(), command.args);
  const action = chooseAction(options, paths);
  checkTogether(action, command.options, options, paths);
  if (options.check === true && options.repair !== true) checkBesideCheck(command.options, options);
  if (compressing.size > 1)
    throw new UserError("--compress does not go together with --no-compress: leave one of them out");
  // The target of another program is no reason to look for a path.
  if (options.console !== undefined) socketPathOf(asText(options.console));
  checkLogLevel(options.loglevel);
  return readOptions(action, options, paths, target);
}

/** After --history, -n is no dry run but the number of transfers, which commander takes for a path. */
function historyOptions(options: ParsedOptions, args: string[]): [ParsedOptions, string[]] {
  const [number, ...others] = args;
  if (options.history !== true || options.dryRun !== true || number === undefined) return [options, args];
  return [{ ...options, history: number, dryRun: undefined }, others];
}

/** Of two values of something to do, only the last one would be done. */
function once(name: string): (value: string, before: string | undefined) => string {
  return (value, before) => {
    if (before === undefined) return value;
    throw new UserError(`--${name} is given twice: run msync once for each`);
  };
}

function msyncCommand(): Command {
  const version = typeof __MAKUOSAN_VERSION__ === "string" ? __MAKUOSAN_VERSION__ : "development";
  const command = new Command("msync")
    .description("Sends files below the base directory to all members at once.")
    .argument("[path...]", "paths to send, relative to the base directory");
  for (const { flags } of REPLACED) command.addOption(new Option(flags).hideHelp());
  return addSendOptions(command)
    .option("-c, --console <target>", "control socket of the daemon, as unix:PATH")
    .option("-l, --loglevel <level>", "set the daemon's log level", once("loglevel"))
    .option("-f, --script <file>", "carry out the commands of a script, or of - , one a line", once("script"))
    .option("--keep-going", "go on with a script when one of its commands fails")
    .option("--watch", "push what changes, as it changes, until a signal comes")
    .option("--members", "list the members")
    .option("--status", "show how the daemon is")
    .option("--doctor", "look for everything that is in the way of this host, or of the given HOSTs")
    .option("--top", "show members and running pushes, refreshed in place; q quits")
    .option("--history [number]", "show the last transfers")
    .option("--catch-up", "let this host, or the hosts named, get now what they have missed")
    .option("--undo [id]", "take back the last push on all hosts, or the one with this id", once("undo"))
    .option("--keygen [file]", "make a new key for a fleet")
    .option("--add <file>", "with --keygen: add the new key to a key file")
    .option("--json", "print a JSON object a line")
    .version(`msync ${version}`, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .configureHelp({
      styleTitle: helpText,
      styleCommandDescription: helpText,
      styleArgumentDescription: helpText,
      styleOptionDescription: helpText,
    })
    .addHelpText("after", () => helpText(MORE_HELP))
    .exitOverride()
    .configureOutput({ writeOut: printText, writeErr: () => undefined });
}

function readOptions(
  action: Action,
  options: ParsedOptions,
  paths: string[],
  target: string | undefined,
): CommandOptions {
  return {
    action,
    paths: pathsOf(action, options, paths),
    send: readSendOptions(action === "watch" ? { ...options, recursive: true } : options),
    json: options.json === true,
    console: options.console === undefined ? target || DEFAULT_TARGET : asText(options.console),
    logLevel: options.loglevel ?? "",
    historyCount: readCount(options.history),
    script: options.script ?? "",
    keepGoing: options.keepGoing === true,
    undoId: typeof options.undo === "string" ? readUndoId(asText(options.undo)) : "",
    keyFile: typeof options.keygen === "string" ? options.keygen : undefined,
    addTo: options.add,
  };
}

/** An empty id is mostly a variable of a script that is not set; it must not mean the last push. */
function readUndoId(id: string): string {
  if (id !== "") return id;
  throw new UserError("--undo has an empty id: give the id of a push, or no id at all for the last push");
}

/** The words of the command line that are no options: paths to send, or hosts to examine. */
function pathsOf(action: Action, options: ParsedOptions, words: string[]): readonly string[] {
  if (action === "doctor" || action === "catch-up") return words.map(hostOf);
  if (action === "watch") {
    checkPaths(words);
    return words;
  }
  return action === "send" ? pathsToSend(words, options.recursive === true) : [];
}

/** @throws UserError for an empty name: a variable of a script that is not set must not mean another host */
function hostOf(word: string): string {
  if (word.trim() !== "") return memberName(word);
  throw new UserError("the name of a host is empty: name one, or leave the name out");
}

/** The levels of the daemon's log. With versions before 2, a number made the command say more. */
const LEVELS: readonly string[] = ["fatal", "error", "warn", "info", "debug", "trace"];

function checkLogLevel(level: string | undefined): void {
  if (level === undefined || LEVELS.includes(level)) return;
  throw new UserError(
    `'${level}' is no log level: give fatal, error, warn, info, debug or trace; to make msync say more, use -v`,
  );
}

function readCount(history: boolean | string | undefined): number {
  const text = typeof history === "string" ? history : String(HISTORY_COUNT);
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UserError(`--history is '${text}': give a number of transfers`);
}

/** A part of the help in the language of the user, as text. */
function helpText(english: string): string {
  return asText(inLanguage(english));
}

/** The text that a byte string is. */
function asText(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}

function chooseAction(options: ParsedOptions, paths: readonly string[]): Action {
  const chosen: Action[] = [];
  if (options.watch === true) chosen.push("watch");
  if (options.members === true) chosen.push("members");
  if (options.status === true) chosen.push("status");
  if (options.doctor === true) chosen.push("doctor");
  if (options.top === true) chosen.push("top");
  if (options.history !== undefined) chosen.push("history");
  if (options.catchUp === true) chosen.push("catch-up");
  if (options.undo !== undefined) chosen.push("undo");
  if (options.keygen !== undefined) chosen.push("keygen");
  if (options.loglevel !== undefined) chosen.push("loglevel");
  if (options.add !== undefined && options.keygen !== true) {
    throw new UserError("--add is for --keygen alone: write 'msync --keygen --add FILE'");
  }
  if (options.script !== undefined) chosen.push("script");
  if (chosen.length > 1) throw new UserError(`give only one of --${chosen.join(" and --")}`);
  if (chosen[0] !== undefined) return chosen[0];
  return options.wait !== undefined && paths.length === 0 && options.recursive !== true ? "wait" : "send";
}
