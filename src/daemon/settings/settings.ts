/** Puts the given settings together, and looks up on the host what they name. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { UserError } from "../../base/user-error.ts";
import { followed } from "../../sys/mounts.ts";
import { hiddenBySandbox } from "../../sys/sandbox.ts";
import { compileExcludes } from "../../wire/excludes.ts";
import { HOST_NAME_BYTES } from "../../wire/limits.ts";
import { findGroup, findUser, groupsOfUser } from "./accounts.ts";
import { type Config, DEFAULT_CONFIG, dropInDirectory, type GivenSettings, type Places } from "./config.ts";
import { checkDrift } from "./drift-settings.ts";
import { findHooks, type GivenHooks, type HookSettings } from "./hook-settings.ts";
import { SETTINGS, type TableSetting, type Values } from "./settings-table.ts";
import { type WithPlace, withPlace } from "./places.ts";
import type { StatePlace } from "./state-place.ts";

export { deleteLimitText } from "./delete-limit.ts";
export { parseLogLevel } from "./log-levels.ts";

const START_DIRECTORY = process.cwd();
const IS_STARTED_BY_ROOT = process.geteuid?.() === 0;

/** The user and the groups that the daemon becomes after it has opened what only root can open. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** The settings that resolveSettings() replaces by what it finds on the host. */
type LookedUp =
  | ("base" | "excludes" | "hostName" | "socket" | "console" | "state")
  | ("user" | "group" | "groups")
  | keyof GivenHooks;

/** All settings, checked, with their defaults. */
export interface Settings extends Omit<Values, LookedUp> {
  /** The real path of a directory. */
  readonly base: string;
  /** The path that was given for it, which may lead through symbolic links. */
  readonly givenBase: string;
  /** Patterns as byte strings, checked. */
  readonly excludes: readonly string[];
  readonly hostName: string;
  /** The path of the control socket; undefined for none. */
  readonly socket: string | undefined;
  readonly state: StatePlace;
  /** Undefined if the daemon keeps its user and groups. */
  readonly identity: Identity | undefined;
  readonly hooks: HookSettings;
  /** The places of the values that config files give. */
  readonly places: Places;
  /** The same values before anything is looked up on the host: a reload compares them. */
  readonly asked: Values;
}

/**
 * Puts together the values of the command line and of the config files, and adds the defaults.
 *
 * @param options the values that override the config files: those of the environment, overridden by the command line
 * @throws UserError with the first thing that is wrong
 */
export function resolveSettings(options: GivenSettings, { values: config, places }: Config): Settings {
  const given: GivenSettings = { ...config, ...options };
  const at: WithPlace = (key, work) =>
    options[key] === undefined ? withPlace(places[key], key, work) : work();
  const asked = valuesOf(given, at);
  const { user, group, groups, preCommit, postCommit, hookUser, hookTimeoutSeconds, console, ...plain } =
    asked;
  at("drift", () => checkDrift(plain.drift, plain.catchUp));
  const base = at("base", () => findBase(plain.base, user));
  const identity = findIdentity(user, group, groups, at);
  const hooks = { preCommit, postCommit, hookUser, hookTimeoutSeconds };
  return {
    ...plain,
    asked,
    places: Object.fromEntries(
      Object.entries(places).filter(([key]) => options[key as keyof GivenSettings] === undefined),
    ),
    base,
    givenBase: plain.base ?? base,
    excludes: at("exclude", () => checkExcludes(plain.excludes, base)),
    hostName: at("name", () => checkHostName(plain.hostName ?? os.hostname())),
    socket: console ? plain.socket : undefined,
    state: findState(plain.state, given.state !== undefined),
    identity,
    hooks: findHooks(hooks, base, identity?.uid ?? process.geteuid?.() ?? 0, at),
  };
}

/** The final value of each setting, as its entry in the table makes it. */
function valuesOf(given: GivenSettings, at: WithPlace): Values {
  const values = Object.entries<TableSetting>(SETTINGS).map(([name, setting]) => {
    const value = given[setting.key] ?? setting.default;
    if (value === undefined) return [name, undefined];
    // Paths start where the daemon was started, also when the config is read again later.
    const full = setting.form.kind === "path" ? path.resolve(START_DIRECTORY, String(value)) : value;
    // The value is of the setting's form: each reader has parsed it so.
    const check = setting.check as ((one: typeof value) => unknown) | undefined;
    return [name, check === undefined ? full : at(setting.key, () => check(full))];
  });
  return Object.fromEntries(values) as Values;
}

function findBase(base: string | undefined, user = "USER"): string {
  if (base === undefined) {
    throw new UserError(
      `no base directory is set: give -b DIR, or write 'base = DIR' into ${DEFAULT_CONFIG} ` +
        `or a file in ${dropInDirectory(DEFAULT_CONFIG)}, as 'makuosan --set base=DIR' does`,
    );
  }
  try {
    const real = fs.realpathSync(base);
    if (fs.statSync(real).isDirectory()) return real;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const hidden = hiddenBySandbox(base);
    if (hidden !== undefined) throw hidden;
    // A directory is made at the end of a link.
    const mend =
      code === "ENOENT"
        ? `create it, such as with 'install -d -o ${user} ${followed(base)}', or name another with -b`
        : `it cannot be reached (${code})`;
    throw new UserError(`the base directory ${base} is missing: ${mend}`);
  }
  throw new UserError(`the base directory ${base} is not a directory: name another with -b`);
}

function findIdentity(
  user: string | undefined,
  group: string | undefined,
  groups: readonly string[] | undefined,
  at: WithPlace,
): Identity | undefined {
  if (user === undefined && group === undefined && groups === undefined) return undefined;
  const account = user === undefined ? undefined : at("user", () => findUser(user));
  const ownGid = account?.gid ?? process.getgid?.() ?? 0;
  const gid = group === undefined ? ownGid : at("group", () => findGroup(group));
  const further =
    at("groups", () => groups?.map((name) => findGroup(name, "-G"))) ??
    (account === undefined ? [] : groupsOfUser(account.name));
  const identity = { uid: account?.uid ?? process.geteuid?.() ?? 0, gid, groups: further };
  if (process.geteuid?.() === 0 || isPresentIdentity(identity)) return identity;
  // At a reload of a daemon that has become another user: the next start takes the new one.
  if (IS_STARTED_BY_ROOT) return presentIdentity();
  throw new UserError(
    "only root can become another user or group: start makuosan as root, or leave out -u, -g and -G",
  );
}

function presentIdentity(): Identity {
  return {
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    groups: process.getgroups?.() ?? [],
  };
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

/** The given directory, or else systemd's, or else the default one, which the daemon can do without. */
function findState(directory: string, isGiven: boolean): StatePlace {
  if (isGiven) return { directory, isRequired: directory !== SETTINGS.state.default, isManaged: false };
  const [managed = ""] = (process.env["STATE_DIRECTORY"] ?? "").split(":");
  return { directory: managed || directory, isRequired: false, isManaged: managed !== "" };
}

function checkExcludes(patterns: readonly string[], base: string): string[] {
  const excludes = patterns.map(byteString);
  compileExcludes(excludes, byteString(base));
  return excludes;
}

function byteString(text: string): string {
  return Buffer.from(text).toString("latin1");
}
