import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { UserError } from "../base/user-error.ts";
import { DEFAULT_GROUP, DEFAULT_PORT, HOST_NAME_BYTES } from "../wire/limits.ts";
import { findGroup, findUser, groupsOfUser } from "./accounts.ts";
import type { GivenSettings } from "./config.ts";
import { LEVELS, type LogLevel } from "./log.ts";
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
}

/**
 * Puts together what the command line and the config file say; the former beats the latter.
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
  return {
    base: checkBase(file("base")),
    identity: findIdentity(text("user"), text("group"), given.groups as readonly string[] | undefined),
    keepOwner: flag("keep-owner", false),
    port: number("port", DEFAULT_PORT),
    multicast: checkMulticast(text("multicast") ?? DEFAULT_GROUP),
    interface: text("interface"),
    hostName: checkHostName(text("name") ?? os.hostname()),
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

function checkMulticast(address: string): string {
  const first = Number(address.split(".")[0]);
  if (net.isIPv4(address) && first >= 224 && first <= 239) return address;
  throw new UserError(
    `${address} is no multicast group: give an address from 224.0.0.0 to 239.255.255.255 with -m`,
  );
}

/** @throws UserError for a level that does not exist */
export function parseLogLevel(text: string): LogLevel {
  const level = /^[0-5]$/.test(text) ? LEVELS[Number(text)] : LEVELS.find((one) => one === text);
  if (level !== undefined) return level;
  throw new UserError(`the log level '${text}' does not exist: give ${LEVELS.join(", ")}, or 0 to 5`);
}
