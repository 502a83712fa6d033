/** The table of the commands that a script may have. */
import { Command, CommanderError } from "commander";
import { commandLineError, similarWord } from "../base/command-line.ts";
import { ExitStatus, UserError } from "../base/user-error.ts";
import type { ConsoleClient } from "../console/client.ts";
import { ask } from "./ask.ts";
import type { Interrupt } from "./interrupt.ts";
import type { CommandOptions } from "./options.ts";
import { printLine, printSentence } from "./output.ts";
import { addSendOptions, type ParsedSendOptions, readSendOptions, type SendOptions } from "./send-options.ts";
import { pathsToSend, send, waitForMembers } from "./send.ts";

/** What a script has come to. */
export interface ScriptState {
  readonly client: ConsoleClient;
  /** The command line of msync, which holds for every command of the script. */
  readonly options: CommandOptions;
  readonly interrupt: Interrupt;
  /** The patterns of `exclude`, beginning with those of the command line. */
  readonly excludes: string[];
  /** How much a push says, from `verbose`. */
  verbosity: number;
  isEnded: boolean;
}

/** Carries out one command; the exit status that it would have as a command line. */
type ScriptCommand = (state: ScriptState, args: readonly string[]) => Promise<number> | number;

/** Every command that a script may have. */
const COMMANDS: Readonly<Record<string, ScriptCommand>> = {
  send: (state, args) => runSend(state, "send", args, {}),
  check: (state, args) => runSend(state, "check", args, { check: true }),
  md5: (state, args) => runSend(state, "md5", args, { check: true }),
  sync: (state, args) => runSend(state, "sync", args, { sync: true }),
  dsync: (state, args) => runSend(state, "dsync", args, { delete: true }, "only"),
  exclude: runExclude,
  wait: runWait,
  members: (state, args) => runAsk(state, args, "members"),
  status: (state, args) => runAsk(state, args, "status"),
  history: async ({ client, options, verbosity }, args) => {
    const [number = "20"] = args.length === 0 ? [] : expectWords(args, 1, "history [NUMBER]");
    if (!/^\d{1,6}$/.test(number)) throw new UserError(`'${number}' is no number: write 'history 20'`);
    await ask(client, { command: "history", count: Number(number) }, { json: options.json, verbosity });
    return ExitStatus.ok;
  },
  loglevel: async (state, args) => {
    const { client, options } = state;
    const [level = ""] = expectWords(args, 1, "loglevel LEVEL");
    if (/^\d$/.test(level)) state.verbosity = verbosityOfNumber(Number(level));
    else await ask(client, { command: "loglevel", level }, { json: options.json, verbosity: 0 });
    return ExitStatus.ok;
  },
  verbose: (state, args) => {
    const [number = ""] = expectWords(args, 1, "verbose NUMBER");
    if (!/^[0-9]$/.test(number))
      throw new UserError(`'${number}' is no number from 0 to 9: write 'verbose 1'`);
    state.verbosity = Number(number);
    return ExitStatus.ok;
  },
  quit: (state, args) => runQuit(state, args, "quit"),
  exit: (state, args) => runQuit(state, args, "exit"),
  bye: (state, args) => runQuit(state, args, "bye"),
  alive: (_state, args) => {
    // Connections stay open without it.
    const [setting = ""] = expectWords(args, 1, "alive on|off");
    if (!["on", "off"].includes(setting))
      throw new UserError(`'${setting}' is neither on nor off: write 'alive on'`);
    return ExitStatus.ok;
  },
  echo: (_state, args) => {
    printLine(args.join(" "));
    return ExitStatus.ok;
  },
  help: (_state, args) => {
    expectWords(args, 0, "help");
    printSentence(`commands: ${Object.keys(COMMANDS).join(", ")}`);
    printSentence("msync(1) describes them");
    return ExitStatus.ok;
  },
};

/** The numbers of versions before 2, with which a script chose how much its pushes say: 1 for updates, 5 for skips. */
function verbosityOfNumber(level: number): number {
  return level >= 5 ? 2 : Math.min(level, 1);
}

/** @throws UserError for a name that is no command */
export function findCommand(name: string): ScriptCommand {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return command;
  const similar = similarWord(name, Object.keys(COMMANDS));
  const all = Object.keys(COMMANDS).join(", ");
  throw new UserError(
    similar === undefined
      ? `unknown command '${name}': the commands are ${all}`
      : `unknown command '${name}': did you mean '${similar}'? the commands are ${all}`,
  );
}

function runQuit(state: ScriptState, args: readonly string[], name: string): number {
  expectWords(args, 0, name);
  state.isEnded = true;
  return ExitStatus.ok;
}

/**
 * Carries out a push, or what is like one.
 *
 * @param given options that the command stands for
 * @param deletes how its deletes are meant, where it has any
 */
async function runSend(
  state: ScriptState,
  name: string,
  args: readonly string[],
  given: ParsedSendOptions,
  deletes: "also" | "only" = "also",
): Promise<number> {
  const command = addSendOptions(new Command(name).argument("[path...]"))
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  try {
    command.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw commandLineError(error.message, "'msync --help' lists the options of a push", command.options);
  }
  const parsed = command.opts<ParsedSendOptions>();
  const recursive = parsed.recursive === true || state.options.send.recursive;
  if (name === "dsync" && !recursive)
    throw new UserError("dsync looks at directories with all that is in them: add -r");
  const isDeleting = parsed.delete === true || state.options.send.deletes !== "nothing";
  const own = readSendOptions({ ...parsed, delete: isDeleting, ...given, recursive });
  const options = combine(own, state.options.send, state, deletes);
  const paths = pathsToSend(command.args, options.recursive);
  await waitForMembers(state.client, options);
  return send(state.client, paths, options, state.options.json, state.interrupt);
}

/** A line's own options, with those of the command line where it has none. */
function combine(
  own: SendOptions,
  all: SendOptions,
  state: ScriptState,
  deletes: "also" | "only",
): SendOptions {
  return {
    deletes: own.deletes === "nothing" ? "nothing" : deletes,
    syncs: own.syncs || all.syncs,
    isForced: own.isForced || all.isForced,
    comparesContents: own.comparesContents || all.comparesContents,
    isCheck: own.isCheck || all.isCheck,
    sendsAttributes: own.sendsAttributes || all.sendsAttributes,
    ...compressionOf(own.compression ?? all.compression),
    ...((own.wholeFile ?? all.wholeFile) === true && { wholeFile: true }),
    showsStats: own.showsStats || all.showsStats,
    recursive: own.recursive || all.recursive,
    dryRun: own.dryRun || all.dryRun,
    verbosity: Math.max(own.verbosity, state.verbosity),
    targets: own.targets.length > 0 ? own.targets : all.targets,
    excepts: [...all.excepts, ...own.excepts],
    wait: own.wait,
    excludes: [...state.excludes, ...own.excludes],
    group: own.group === "" ? all.group : own.group,
    allOrNothing: own.allOrNothing || all.allOrNothing,
  };
}

function compressionOf(compression: SendOptions["compression"]): Pick<SendOptions, "compression"> {
  return compression === undefined ? {} : { compression };
}

async function runWait(state: ScriptState, args: readonly string[]): Promise<number> {
  const [number = ""] = expectWords(args, 1, "wait NUMBER[,SECONDS]");
  const { wait } = readSendOptions({ wait: number });
  await waitForMembers(state.client, { ...state.options.send, wait });
  return ExitStatus.ok;
}

async function runAsk(
  state: ScriptState,
  args: readonly string[],
  command: "members" | "status",
): Promise<number> {
  expectWords(args, 0, command);
  await ask(state.client, { command }, { json: state.options.json, verbosity: state.verbosity });
  return ExitStatus.ok;
}

function runExclude({ excludes }: ScriptState, [action = "", ...patterns]: readonly string[]): number {
  if (action === "add" && patterns.length > 0) {
    excludes.push(...patterns.filter((pattern) => !excludes.includes(pattern)));
  } else if (action === "del" && patterns.length > 0) {
    for (const pattern of patterns) {
      const index = excludes.indexOf(pattern);
      if (index === -1) throw new UserError(`'${pattern}' is not excluded: 'exclude list' shows what is`);
      excludes.splice(index, 1);
    }
  } else if (action === "list" && patterns.length === 0) {
    excludes.forEach(printLine);
  } else if (action === "clear" && patterns.length === 0) {
    excludes.length = 0;
  } else {
    throw new UserError(
      "write 'exclude add PATTERN...', 'exclude del PATTERN...', 'exclude list' or 'exclude clear'",
    );
  }
  return ExitStatus.ok;
}

function expectWords(args: readonly string[], count: number, usage: string): readonly string[] {
  if (args.length === count) return args;
  throw new UserError(`${args.length} words follow: write '${usage}'`);
}
