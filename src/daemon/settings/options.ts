/** The command line of the daemon. */
import path from "node:path";
import { Command, CommanderError, Option } from "commander";
import { UserError } from "../../base/user-error.ts";
import { DEFAULT_CONFIG, type GivenSettings } from "./config.ts";
import { helpOf, optionName } from "./setting.ts";
import { ALL_SETTINGS } from "./settings-table.ts";
import { VERSION } from "./version.ts";

/** The arguments of the daemon. */
export interface DaemonArguments {
  readonly settings: GivenSettings;
  readonly configFile: string | undefined;
  readonly foreground: boolean;
}

/** Options of versions before 2, with their replacements. */
const REPLACED = [
  { flags: "-c, --chroot", instead: "the sandbox of the service, see makuosan(8)" },
  { flags: "-C, --core", instead: "systemd-coredump" },
  { flags: "-K, --console-password <file>", instead: "the mode and the group of the control socket" },
] as const;

/** Help or the version was printed, and the daemon does not start. */
export class PrintedInstead extends Error {}

/**
 * Reads the command line.
 *
 * @throws UserError for an option that is unknown or has a wrong value
 * @throws PrintedInstead when help or the version was asked for, and has been printed
 */
export function parseArguments(argv: readonly string[]): DaemonArguments {
  const command = daemonCommand();
  try {
    command.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new PrintedInstead();
    const sentence = error.message.replace(/^error: /, "");
    throw new UserError(`${sentence}: 'makuosan --help' lists the options`);
  }
  return readOptions(command);
}

function daemonCommand(): Command {
  const command = new Command("makuosan")
    .description("Receives files from all servers of the LAN at once, and sends them: the daemon of msync.")
    .version(`makuosan ${VERSION}`, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  for (const setting of ALL_SETTINGS) {
    const option = new Option(setting.option, helpOf(setting));
    command.addOption(setting.form.kind === "list" ? option.argParser(addToList) : option);
  }
  command.option("--config <file>", `config file (${DEFAULT_CONFIG})`);
  command.option("-n, --foreground", "stay in the foreground");
  for (const { flags } of REPLACED) command.addOption(new Option(flags).hideHelp());
  return command;
}

/** A list may be given in several pieces. */
function addToList(value: string, before: string | undefined): string {
  return before === undefined ? value : `${before},${value}`;
}

function readOptions(command: Command): DaemonArguments {
  for (const { flags, instead } of REPLACED) {
    const [short] = flags.split(", ");
    const option = command.options.find((one) => one.short === short);
    if (option !== undefined && command.getOptionValueSource(option.attributeName()) === "cli") {
      throw new UserError(`${flags.split(" <")[0]} is no option any more: use ${instead}`);
    }
  }
  const settings: GivenSettings = {};
  for (const setting of ALL_SETTINGS) {
    const option = command.options.find((one) => one.flags === setting.option);
    if (option === undefined || command.getOptionValueSource(option.attributeName()) !== "cli") continue;
    const value: unknown = command.getOptionValue(option.attributeName());
    settings[setting.key] =
      typeof value === "boolean" ? value : setting.form.parse(String(value), optionName(setting));
  }
  const { config, foreground } = command.opts<{ config?: string; foreground?: boolean }>();
  return { settings, configFile: config && path.resolve(config), foreground: foreground === true };
}
