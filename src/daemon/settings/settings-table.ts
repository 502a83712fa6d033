/**
 * Every setting there is, once: its key in the config file, its option, its form and its default. The config
 * reader, the command line, and the test that compares the manuals with the program all read this table.
 */

import { OUTBOUND_TRANSFERS } from "../../wire/limits.ts";

/** What a value looks like. */
export type SettingForm =
  | { readonly kind: "text" }
  | { readonly kind: "flag" }
  | { readonly kind: "number"; readonly least: number; readonly most: number }
  | { readonly kind: "list" };

export interface Setting {
  /** The key in the config file, and the long option. */
  readonly key: string;
  /** The short option with what stands behind it, such as "-b, --base <dir>". */
  readonly option: string;
  readonly form: SettingForm;
  readonly description: string;
  /** For an option that switches something off: what it stands for in the config file. */
  readonly isInverted?: boolean;
  /** The variable of the environment that says the same, as it did before version 2. */
  readonly environment?: string;
}

const TEXT = { kind: "text" } as const;
const FLAG = { kind: "flag" } as const;
const LIST = { kind: "list" } as const;
const number = (least: number, most: number) => ({ kind: "number", least, most }) as const;

export const SETTINGS = [
  {
    key: "base",
    environment: "MAKUOSAN_BASE",
    option: "-b, --base <dir>",
    form: TEXT,
    description: "directory whose files are sent and received",
  },
  {
    key: "user",
    environment: "MAKUOSAN_USER",
    option: "-u, --user <name>",
    form: TEXT,
    description: "user that the daemon becomes",
  },
  {
    key: "group",
    environment: "MAKUOSAN_GROUP",
    option: "-g, --group <name>",
    form: TEXT,
    description: "group that the daemon becomes",
  },
  {
    key: "groups",
    environment: "MAKUOSAN_GROUPS",
    option: "-G, --groups <names>",
    form: LIST,
    description: "further groups, with commas between them",
  },
  {
    key: "keep-owner",
    option: "--keep-owner",
    form: FLAG,
    description: "keep the owners of files also as another user than root",
  },
  {
    key: "port",
    environment: "MAKUOSAN_PORT",
    option: "-p, --port <number>",
    form: number(1, 65535),
    description: "UDP port (5000)",
  },
  {
    key: "multicast",
    option: "-m, --multicast <address>",
    form: TEXT,
    description: "multicast group (224.0.0.108)",
  },
  {
    key: "interface",
    option: "-i, --interface <name>",
    form: TEXT,
    description: "interface, by name or address (the one of the default route)",
  },
  {
    key: "name",
    option: "--name <name>",
    form: TEXT,
    description: "name that the others know this node by (the host name)",
  },
  {
    key: "labels",
    option: "--labels <names>",
    form: LIST,
    description: "names of groups that this node belongs to, for msync -t @NAME, with commas between them",
  },
  { key: "key", option: "-k, --key <file>", form: TEXT, description: "key file, made by msync --keygen" },
  {
    key: "socket",
    environment: "MAKUOSAN_SOCK",
    option: "-U, --socket <path>",
    form: TEXT,
    description: "control socket (/run/makuosan/makuosan.sock)",
  },
  {
    key: "loglevel",
    option: "-d, --loglevel <level>",
    form: TEXT,
    description: "fatal, error, warn, info, debug, trace, or a number from 0 to 5 (info)",
  },
  {
    key: "parallel",
    option: "-f, --parallel <number>",
    form: number(1, OUTBOUND_TRANSFERS),
    description: "transfers that this node sends at the same time (4)",
  },
  {
    key: "receive-buffer",
    environment: "MAKUOSAN_RCVBUF",
    option: "-R, --receive-buffer <bytes>",
    form: number(16_384, 1 << 30),
    description: "socket buffer for what arrives (8388608)",
  },
  {
    key: "send-buffer",
    environment: "MAKUOSAN_SNDBUF",
    option: "-S, --send-buffer <bytes>",
    form: number(16_384, 1 << 30),
    description: "socket buffer for what is sent (1048576)",
  },
  {
    key: "rate",
    option: "-T, --rate <mbps>",
    form: number(1, 1_000_000),
    description: "most megabits a second that are sent (no bound)",
  },
  {
    key: "receive",
    option: "-r, --no-receive",
    form: FLAG,
    isInverted: true,
    description: "do not receive files",
  },
  { key: "send", option: "-s, --no-send", form: FLAG, isInverted: true, description: "do not send files" },
  {
    key: "console",
    option: "-o, --no-console",
    form: FLAG,
    isInverted: true,
    description: "no control socket",
  },
  {
    key: "exclude",
    option: "--exclude <patterns>",
    form: LIST,
    description: "patterns of what is neither sent nor changed here, with commas between them",
  },
  {
    key: "delete-limit",
    option: "--delete-limit <amount>",
    form: TEXT,
    description: "what a transfer may delete here: so many entries, or such a share of them and 100 (50%)",
  },
  {
    key: "owner-match",
    option: "-O, --owner-match",
    form: FLAG,
    description: "send only what belongs to the daemon's user",
  },
  {
    key: "state",
    option: "--state <dir>",
    form: TEXT,
    description: "directory where the history of transfers is kept (/var/lib/makuosan)",
  },
  {
    key: "pre-commit",
    option: "--pre-commit <program>",
    form: TEXT,
    description: "program that runs when a transfer is staged, and may refuse it",
  },
  {
    key: "post-commit",
    option: "--post-commit <program>",
    form: TEXT,
    description: "program that runs when a transfer has taken effect",
  },
  {
    key: "hook-user",
    option: "--hook-user <name>",
    form: TEXT,
    description: "user that these programs run as",
  },
  {
    key: "hook-timeout",
    option: "--hook-timeout <seconds>",
    form: number(1, 240),
    description: "seconds that each of them may take (60)",
  },
  {
    key: "offload",
    option: "--no-offload",
    form: FLAG,
    isInverted: true,
    description: "use only the calls of Node itself, where a device or a kernel makes trouble",
  },
] as const satisfies readonly Setting[];

export type SettingKey = (typeof SETTINGS)[number]["key"];

/** A value as it was given, checked for its form alone. */
export type SettingValue = string | number | boolean | readonly string[];
