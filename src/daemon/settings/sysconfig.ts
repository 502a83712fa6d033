/** Makes a config file of the start file of versions before 2: `makuosan --import-sysconfig`. */
import ini from "ini";
import { UserError } from "../../base/user-error.ts";
import { splitWords } from "../../base/words.ts";
import { ALL_SETTINGS, type SettingKey } from "./settings-table.ts";

/** A variable or an option: the key that it sets, or a remark that tells what replaces it. */
type Meaning = { readonly key: SettingKey } | { readonly key: SettingKey; readonly value: string } | string;

const CONSOLE =
  "the console is a control socket, see socket in makuosan.conf(5); from another host, run msync over ssh";

const VARIABLES: Readonly<Record<string, Meaning>> = {
  MAKUOSAN_BASE: { key: "base" },
  BASE_DIR: { key: "base" },
  MAKUOSAN_USER: { key: "user" },
  MAKUOSAN_GROUP: { key: "group" },
  MAKUOSAN_GROUPS: { key: "groups" },
  MAKUOSAN_PORT: { key: "port" },
  PORT: { key: "port" },
  MAKUOSAN_SOCK: { key: "socket" },
  SOCKET: { key: "socket" },
  MCAST_ADDRESS: { key: "multicast" },
  LOGLEVEL: { key: "loglevel" },
  IP_ADDRESS: CONSOLE,
};

const OPTIONS: Readonly<Record<string, Meaning>> = {
  b: { key: "base" },
  u: { key: "user" },
  g: { key: "group" },
  G: { key: "groups" },
  p: { key: "port" },
  m: { key: "multicast" },
  i: { key: "interface" },
  U: { key: "socket" },
  d: { key: "loglevel" },
  f: { key: "parallel" },
  R: { key: "receive-buffer" },
  S: { key: "send-buffer" },
  T: { key: "rate" },
  l: CONSOLE,
  k: "that file holds a password, and passwords are no keys any more: make one with msync --keygen",
  K: "the mode and the group of the control socket decide who can run msync",
};

const FLAGS: Readonly<Record<string, Meaning>> = {
  r: { key: "receive", value: "no" },
  s: { key: "send", value: "no" },
  o: { key: "console", value: "no" },
  O: { key: "owner-match", value: "yes" },
  c: "the sandbox of the service does what chroot did, see makuosan(8)",
  C: "systemd-coredump collects core dumps, but the daemon makes none: they would hold the key",
  n: "the service manager starts the daemon in the foreground",
};

/**
 * Translates a start file, a shell script that only sets variables.
 *
 * @param text of a file such as /etc/sysconfig/makuosan
 * @returns the text of a config file; comments tell what was not taken over, and why
 */
export function importSysconfig(text: string): string {
  const values = new Map<SettingKey, string>();
  const remarks: string[] = [];
  const take = (name: string, meaning: Meaning | undefined, value: string) => {
    if (meaning === undefined) remarks.push(`${name} is unknown and was left out`);
    else if (typeof meaning === "string") remarks.push(`${name} was left out: ${meaning}`);
    else {
      const taken = "value" in meaning ? meaning.value : bounded(meaning.key, value);
      const refusal = refusalOf(meaning.key, taken);
      if (refusal === undefined) values.set(meaning.key, taken);
      else remarks.push(`${withoutValue(name)} was left out: ${refusal}`);
    }
  };
  for (const line of linesOf(text)) {
    for (const [name, value] of assignmentsOf(line)) {
      if (value === "") continue;
      if (name === "OPTIONS" || name === "OPTIONS+") takeOptions(value, take);
      else take(name, Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined, value);
    }
  }
  const comments = remarks.map((remark) => `; ${remark}\n`).join("");
  return comments + ini.stringify(Object.fromEntries(values), { whitespace: true });
}

/** Versions before 2 took any number for these, and the nearest possible one in its place. */
const BOUNDS: Partial<Record<SettingKey, readonly [least: number, most: number]>> = {
  parallel: [1, 100],
  loglevel: [0, 9],
};

function bounded(key: SettingKey, value: string): string {
  const [least, most] = BOUNDS[key] ?? [];
  if (least === undefined || most === undefined || !/^-?\d+$/.test(value)) return value;
  return String(Math.min(Math.max(Number(value), least), most));
}

/** Why the daemon would refuse a value; undefined if it would not. */
function refusalOf(key: SettingKey, value: string): string | undefined {
  const setting = ALL_SETTINGS.find((one) => one.key === key);
  try {
    const parsed = setting?.form.parse(value, key);
    (setting?.check as ((value: unknown) => unknown) | undefined)?.(parsed);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/** The sentence that follows has the value. */
function withoutValue(name: string): string {
  return name.split(" ")[0] ?? name;
}

/** Lines as a shell has them: a backslash at the end of one joins it with the next. */
function linesOf(text: string): string[] {
  return text
    .replace(/^\uFEFF/, "")
    .replace(/\r\n/g, "\n")
    .replace(/\\\n/g, "")
    .split("\n");
}

/** Within quotes, only these characters let a shell do something. */
const ACTIVE_IN_QUOTES = new Set(["$", "`"]);
const ACTIVE = new Set([...ACTIVE_IN_QUOTES, "&", "|", "<", ">", "(", ")"]);

/**
 * Cuts a line at its semicolons.
 *
 * @returns undefined for a line with something that a shell would compute: the value is not in the file then
 */
function commandsOf(line: string): string[] | undefined {
  const commands = [""];
  let quote = "";
  for (let index = 0; index < line.length; index++) {
    const character = line.charAt(index);
    const isEscaped = character === "\\" && quote !== "'";
    if (isEscaped) index++;
    else if (character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (quote !== "'" && (quote === "" ? ACTIVE : ACTIVE_IN_QUOTES).has(character)) return undefined;
    else if (quote === "" && character === "#" && /(^|\s)$/.test(commands.at(-1) ?? "")) return commands;
    else if (quote === "" && character === ";") {
      commands.push("");
      continue;
    }
    commands[commands.length - 1] += isEscaped ? line.slice(index - 1, index + 1) : character;
  }
  return commands;
}

/** The options are collected anyway, so their former value need not be repeated. */
const FORMER_OPTIONS = /(?<=^\s*(?:export\s+)?OPTIONS=["']?)\$(?:OPTIONS|\{OPTIONS(?::?-)?\})(?=[\s"'])/;

/** The variables that a line sets, as in "export PORT=5000"; a line that does anything else is one without a meaning. */
function assignmentsOf(line: string): [name: string, value: string][] {
  const unknown: [string, string][] = [[line.trim(), line]];
  const assignments: [string, string][] = [];
  try {
    const commands = commandsOf(line.replace(FORMER_OPTIONS, ""));
    if (commands === undefined) return unknown;
    const words = commands.map(splitWords).flatMap(([first = "", ...rest]) =>
      // The names of an export are variables of other lines, or of this one.
      first === "export" ? rest.filter((word) => !/^\w+$/.test(word)) : [first, ...rest],
    );
    for (const word of words.filter((one) => one !== "")) {
      // A shell puts the home directory in the place of a tilde, except for one in quotes, which nobody writes.
      const [, name, value = ""] = /^(\w+\+?)=(?!~)(.*)$/s.exec(word) ?? [];
      if (name === undefined) return unknown;
      assignments.push([name, value]);
    }
  } catch {
    return unknown;
  }
  return assignments;
}

/** Reads options as getopt does: flags can be joined, and a value can follow its option directly. */
function takeOptions(
  text: string,
  take: (name: string, meaning: Meaning | undefined, value: string) => void,
): void {
  const words = splitWords(text);
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (!word.startsWith("-") || word.startsWith("--")) {
      take(word, undefined, "");
      continue;
    }
    for (let index = 1; index < word.length; index++) {
      const letter = word.charAt(index);
      if (Object.hasOwn(OPTIONS, letter)) {
        const value = word.slice(index + 1) || (words.shift() ?? "");
        const meaning = value === "" ? "it has no value" : OPTIONS[letter];
        take(`-${letter} ${value}`.trim(), meaning, value);
        break;
      }
      take(`-${letter}`, Object.hasOwn(FLAGS, letter) ? FLAGS[letter] : undefined, "");
    }
  }
}
