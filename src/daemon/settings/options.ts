/** The command line of the daemon. */
import path from "node:path";
import { Command, CommanderError, Option } from "commander";
import { checkReplaced, commandLineError, type ReplacedOption } from "../../base/command-line.ts";
import { UserError } from "../../base/user-error.ts";
import { writeOutput } from "../../sys/output.ts";
import { DEFAULT_CONFIG, type GivenSettings } from "./config.ts";
import { inEnglish, type Speak } from "../speech.ts";
import { helpOf, optionName } from "./setting.ts";
import { ALL_SETTINGS } from "./settings-table.ts";
import { VERSION } from "./version.ts";

/** The arguments of the daemon. */
export interface DaemonArguments {
  readonly settings: GivenSettings;
  readonly configFile: string | undefined;
  readonly foreground: boolean;
  /** Other work than to run, and then to end. */
  readonly task: Task | undefined;
}

/** What the command line asks for instead of a daemon. */
export type Task =
  | { readonly kind: "check-config" }
  | { readonly kind: "read-config" }
  | { readonly kind: "set"; readonly assignments: readonly string[] }
  | { readonly kind: "import-sysconfig"; readonly file: string };

/** Options of versions before 2, with their replacements. */
const REPLACED: readonly ReplacedOption[] = [
  { flags: "-c, --chroot", instead: "use the sandbox of the service, see makuosan(8)" },
  { flags: "-C, --core", instead: "use systemd-coredump" },
  {
    flags: "-K, --console-password [file]",
    instead: "use the mode and the group of the control socket",
  },
  {
    flags: "-l, --listen [address]",
    instead: "the console is a control socket, see -U; from another host, run msync over ssh",
  },
];

/** The command has them, and the daemon nothing similar. */
const OF_COMMAND: readonly string[] = [
  ...[
    "--members",
    "--status",
    "--doctor",
    "--top",
    "--history",
    "--keygen",
    "--watch",
    "--catch-up",
    "--wait",
  ],
  ...[
    "--recursive",
    "--dry-run",
    "--verbose",
    "--target",
    "--check",
    "--repair",
    "--delete",
    "--sync",
    "--json",
  ],
];

/** Words that start files of older systems have for a service. */
const OF_SYSTEMCTL: readonly string[] = ["start", "stop", "restart", "reload", "status", "enable", "disable"];

/** How --help ends. */
const MORE_HELP = `
Examples:
  makuosan --set base=/srv/www       set the base directory
  makuosan --check-config            check the settings
  makuosan -b /srv/www -k /etc/key   start in the background

Exit status: 0 the daemon is ready, or has ended; 1 it cannot start; 75 it has
to be started again; 78 a service manager must not start it again, because the
settings are wrong.

The manuals are makuosan(8) and makuosan.conf(5): man makuosan.`;

/** Help or the version was printed, and the daemon does not start. */
export class PrintedInstead extends Error {}

/**
 * Reads the command line.
 *
 * @param speak translates the help
 * @throws UserError for an option that is unknown or has a wrong value
 * @throws PrintedInstead when help or the version was asked for, and has been printed
 */
export function parseArguments(argv: readonly string[], speak: Speak = inEnglish): DaemonArguments {
  const command = daemonCommand((english) => Buffer.from(speak(english), "latin1").toString());
  try {
    command.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new PrintedInstead();
    throw commandLineError(error.message, "'makuosan --help' lists the options", command.options, {
      name: "msync",
      options: OF_COMMAND,
    });
  }
  return readOptions(command);
}

function daemonCommand(say: Speak): Command {
  const command = new Command("makuosan")
    .description("Receives files from all servers of the LAN at once, and sends them: the daemon of msync.")
    .version(`makuosan ${VERSION}`, "-V, --version", say("print the version"))
    .helpOption("-h, --help", say("print this help"))
    .configureHelp({
      styleTitle: say,
      styleCommandDescription: say,
    })
    .addHelpText("after", () => say(MORE_HELP))
    // They are refused in words of our own, after the options of versions before 2.
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({ writeOut: (text) => writeOutput(1, text), writeErr: () => undefined });
  for (const setting of ALL_SETTINGS) {
    const option = new Option(setting.option, helpOf(setting, say));
    command.addOption(setting.form.kind === "list" ? option.argParser(addToList) : option);
  }
  command.option("--config <file>", say(`config file (${DEFAULT_CONFIG})`));
  command.option("-n, --foreground", say("stay in the foreground"));
  command.option("--check-config", say("check the settings, and do not start"));
  command.option("--set <key=value>", say("set a value in the config file 50-set.conf"), addValue);
  command.option(
    "--import-sysconfig <file>",
    say("print the config file for a start file of versions before 2"),
    onlyOnce("--import-sysconfig"),
  );
  for (const { flags } of REPLACED) command.addOption(new Option(flags).hideHelp());
  return command;
}

/** A list may be given in several pieces. */
function addToList(value: string, before: string | undefined): string {
  return before === undefined ? value : `${before},${value}`;
}

/** Of two values of something to do, only the last one would be done. */
function onlyOnce(name: string): (value: string, before: string | undefined) => string {
  return (value, before) => {
    if (before === undefined) return value;
    throw new UserError(`${name} is given twice: run makuosan once for each`);
  };
}

function addValue(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function readOptions(command: Command): DaemonArguments {
  checkReplaced(command, REPLACED);
  const [word] = command.args;
  if (word !== undefined) {
    const mend = OF_SYSTEMCTL.includes(word)
      ? `run 'systemctl ${word} makuosan'`
      : "'makuosan --help' lists the options";
    throw new UserError(`'${word}' is no option, and makuosan takes nothing else: ${mend}`);
  }
  const settings: GivenSettings = {};
  for (const setting of ALL_SETTINGS) {
    const option = command.options.find((one) => one.flags === setting.option);
    if (option === undefined || command.getOptionValueSource(option.attributeName()) !== "cli") continue;
    const value: unknown = command.getOptionValue(option.attributeName());
    settings[setting.key] =
      typeof value === "boolean" ? value : setting.form.parse(String(value), optionName(setting));
  }
  const { config, foreground, ...tasks } = command.opts<OtherOptions>();
  const configFile = config && path.resolve(config);
  const task = taskOf(tasks);
  checkBeside(task, settings, foreground === true);
  return { settings, configFile, foreground: foreground === true, task };
}

/** The options that are no settings. */
interface OtherOptions extends TaskOptions {
  config?: string;
  foreground?: boolean;
}

interface TaskOptions {
  checkConfig?: boolean;
  set?: readonly string[];
  importSysconfig?: string;
}

/** @throws UserError for more than one task */
function taskOf({ checkConfig, set, importSysconfig }: TaskOptions): Task | undefined {
  const tasks: Task[] = [];
  if (checkConfig === true) tasks.push({ kind: "check-config" });
  if (set !== undefined) tasks.push({ kind: "set", assignments: set });
  if (importSysconfig !== undefined)
    tasks.push({ kind: "import-sysconfig", file: path.resolve(importSysconfig) });
  if (tasks.length > 1)
    throw new UserError(`give only one of --${tasks.map(({ kind }) => kind).join(" and --")}`);
  return tasks[0];
}

/** @throws UserError for a setting beside a task that has no use for it */
function checkBeside(task: Task | undefined, settings: GivenSettings, foreground: boolean): void {
  if (task?.kind !== "set" && task?.kind !== "import-sysconfig") return;
  const given = ALL_SETTINGS.find(({ key }) => settings[key] !== undefined);
  const option = given === undefined ? "--foreground" : optionName(given);
  if (given === undefined && !foreground) return;
  throw new UserError(`${option} does not go together with --${task.kind}: leave one of them out`);
}
