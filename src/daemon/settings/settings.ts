/** Checks settings and adds the defaults. */
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { UserError } from "../../base/user-error.ts";
import { compileExcludes } from "../../tree/entries/excludes.ts";
import { DEFAULT_DELETE_LIMIT, type DeleteLimit } from "../../tree/decide/superfluous.ts";
import { DEFAULT_GROUP, DEFAULT_PORT, HOST_NAME_BYTES, LABEL_BYTES, LABELS } from "../../wire/limits.ts";
import { findGroup, findUser, groupsOfUser } from "./accounts.ts";
import type { GivenSettings } from "./config.ts";
import { findHooks, type HookSettings } from "./hook-settings.ts";
import { DEFAULT_STATE, type StatePlace } from "./state-place.ts";
import { LEVELS, type LogLevel } from "./log-levels.ts";
import type { SettingKey } from "./settings-table.ts";

const START_DIRECTORY = process.cwd();

export const DEFAULT_SOCKET = "/run/makuosan/makuosan.sock";

/** Who the daemon becomes when it has what only root can open. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** All settings, checked, with their defaults. */
export interface Settings {
  readonly base: string;
  readonly identity: Identity | undefined;
  /** Owners of files are kept also where the daemon is not root. */
  readonly keepOwner: boolean;
  readonly port: number;
  readonly multicast: string;
  readonly interface: string | undefined;
  readonly hostName: string;
  readonly labels: readonly string[];
  readonly keyFile: string | undefined;
  readonly socket: string | undefined;
  readonly logLevel: LogLevel;
  readonly parallel: number;
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  /** Megabits a second; Infinity for no bound. */
  readonly rateMbps: number;
  readonly receives: boolean;
  readonly sends: boolean;
  readonly offload: boolean;
  readonly hooks: HookSettings;
  /** Where the daemon keeps what has to outlive it; the default directory may be missing. */
  readonly state: StatePlace;
  /** How much a transfer may delete here. */
  readonly deleteLimit: DeleteLimit;
  /** Only what belongs to the daemon's user is sent. */
  readonly ownerMatch: boolean;
  /** Patterns as byte strings; they hold for what is sent and for what is received. */
  readonly excludes: readonly string[];
}

/**
 * Puts together what the command line (with the environment below it) and the config file say; the former beats the latter.
 *
 * @throws UserError with the first thing that is wrong
 */
export function resolveSettings(options: GivenSettings, config: GivenSettings): Settings {
  const given: GivenSettings = { ...config, ...options };
  const flag = (key: SettingKey, otherwise: boolean) => (given[key] as boolean | undefined) ?? otherwise;
  const number = (key: SettingKey, otherwise: number) => (given[key] as number | undefined) ?? otherwise;
  const text = (key: SettingKey) => given[key] as string | undefined;
  // Seen from where the daemon was started, also when the config is read again later.
  const file = (key: SettingKey) => {
    const name = text(key);
    return name === undefined ? undefined : path.resolve(START_DIRECTORY, name);
  };
  const base = checkBase(file("base"));
  const groups = given.groups as readonly string[] | undefined;
  const identity = findIdentity(text("user"), text("group"), groups);
  return {
    base,
    identity,
    keepOwner: flag("keep-owner", false),
    port: number("port", DEFAULT_PORT),
    multicast: checkMulticast(text("multicast") ?? DEFAULT_GROUP),
    interface: text("interface"),
    hostName: checkHostName(text("name") ?? os.hostname()),
    labels: checkLabels((given.labels as readonly string[] | undefined) ?? []),
    keyFile: file("key"),
    socket: flag("console", true) ? (file("socket") ?? DEFAULT_SOCKET) : undefined,
    logLevel: parseLogLevel(text("loglevel") ?? "info"),
    parallel: number("parallel", 4),
    receiveBufferBytes: number("receive-buffer", 8 * 1024 * 1024),
    sendBufferBytes: number("send-buffer", 1024 * 1024),
    rateMbps: number("rate", Infinity),
    receives: flag("receive", true),
    sends: flag("send", true),
    offload: flag("offload", true),
    hooks: findHooks(
      {
        preCommit: file("pre-commit"),
        postCommit: file("post-commit"),
        user: text("hook-user"),
        timeoutSeconds: number("hook-timeout", 60),
      },
      base,
      identity?.uid ?? process.geteuid?.() ?? 0,
    ),
    state: findState(file("state")),
    deleteLimit: parseDeleteLimit(text("delete-limit")),
    ownerMatch: flag("owner-match", false),
    excludes: checkExcludes((given.exclude as readonly string[] | undefined) ?? [], base),
  };
}

function checkBase(base: string | undefined): string {
  if (base === undefined) {
    throw new UserError(
      "no base directory is set: give -b DIR, or write 'base = DIR' into /etc/makuosan.conf",
    );
  }
  try {
    const real = fs.realpathSync(base);
    if (fs.statSync(real).isDirectory()) return real;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const mend = code === "ENOENT" ? "create it, or name another with -b" : `it cannot be reached (${code})`;
    throw new UserError(`the base directory ${base} is missing: ${mend}`);
  }
  throw new UserError(`the base directory ${base} is not a directory: name another with -b`);
}

function findIdentity(
  user: string | undefined,
  group: string | undefined,
  groups: readonly string[] | undefined,
): Identity | undefined {
  if (user === undefined && group === undefined && groups === undefined) return undefined;
  const account = user === undefined ? undefined : findUser(user);
  const gid = group === undefined ? (account?.gid ?? process.getgid?.() ?? 0) : findGroup(group);
  const further = groups?.map(findGroup) ?? (account === undefined ? [] : groupsOfUser(account.name));
  const identity = { uid: account?.uid ?? process.geteuid?.() ?? 0, gid, groups: further };
  if (process.geteuid?.() === 0 || isPresentIdentity(identity)) return identity;
  throw new UserError(
    "only root can become another user or group: start makuosan as root, or leave out -u, -g and -G",
  );
}

function isPresentIdentity(identity: Identity): boolean {
  return identity.uid === process.geteuid?.() && identity.gid === process.getegid?.();
}

function checkHostName(name: string): string {
  if (name.length <= HOST_NAME_BYTES && /^[\x21-\x7e]+$/.test(name)) return name;
  throw new UserError(
    `'${name}' cannot be the name of a node: give one of at most ${HOST_NAME_BYTES} printable characters with --name`,
  );
}

/** The directory that was named, or else systemd's, or else the default one. */
function findState(directory: string | undefined): StatePlace {
  if (directory !== undefined) {
    return { directory, isRequired: directory !== DEFAULT_STATE, isManaged: false };
  }
  const [first = ""] = (process.env["STATE_DIRECTORY"] ?? "").split(":");
  return { directory: first === "" ? DEFAULT_STATE : first, isRequired: false, isManaged: first !== "" };
}

function checkLabels(labels: readonly string[]): readonly string[] {
  if (labels.length > LABELS) {
    throw new UserError(`there are ${labels.length} labels: give ${LABELS} at the most with --labels`);
  }
  for (const label of labels) {
    if (label.length <= LABEL_BYTES && /^[\w.:+-]+$/.test(label)) continue;
    throw new UserError(
      `'${label}' cannot be a label: give one of at most ${LABEL_BYTES} letters, digits and - _ . : + with --labels`,
    );
  }
  return [...new Set(labels)];
}

function checkMulticast(address: string): string {
  const first = Number(address.split(".")[0]);
  if (net.isIPv4(address) && first >= 224 && first <= 239) return address;
  throw new UserError(
    `${address} is no multicast group: give an address from 224.0.0.0 to 239.255.255.255 with -m`,
  );
}

function checkExcludes(patterns: readonly string[], base: string): string[] {
  const excludes = patterns.map(byteString);
  compileExcludes(excludes, byteString(base));
  return excludes;
}

function parseDeleteLimit(text: string | undefined): DeleteLimit {
  if (text === undefined) return DEFAULT_DELETE_LIMIT;
  const [, number = "", sign] = /^(\d{1,9})(%?)$/.exec(text) ?? [];
  if (sign === "" && number !== "") return { entries: Number(number), percent: undefined };
  if (sign === "%" && Number(number) <= 100)
    return { entries: DEFAULT_DELETE_LIMIT.entries, percent: Number(number) };
  throw new UserError(
    `delete-limit is '${text}': give a number of entries, such as 1000, or a share of them, such as 50%`,
  );
}

/** Such a limit as it is written. */
export function deleteLimitText({ entries, percent }: DeleteLimit): string {
  return percent === undefined ? `${entries} entries` : `${percent} %, and ${entries} entries in any case`;
}

function byteString(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** @throws UserError for a level that does not exist */
export function parseLogLevel(text: string): LogLevel {
  const level = /^[0-5]$/.test(text) ? LEVELS[Number(text)] : LEVELS.find((one) => one === text);
  if (level !== undefined) return level;
  throw new UserError(`the log level '${text}' does not exist: give ${LEVELS.join(", ")}, or 0 to 5`);
}
