/** Reads the config file, and the environment that sets some of the same. */
import fs from "node:fs";
import path from "node:path";
import ini from "ini";
import { similarWord } from "../../base/command-line.ts";
import { UserError } from "../../base/user-error.ts";
import { readBeginning } from "../../sys/own-files.ts";
import type { SettingValue } from "./forms.ts";
import { ALL_SETTINGS, type SettingKey } from "./settings-table.ts";

export const DEFAULT_CONFIG = "/etc/makuosan.conf";

/** Largest config file: far more than all keys with long lists. A larger one is another file, put there by mistake. */
const CONFIG_BYTES = 1024 * 1024;

/** A value in quotes, and maybe a comment. */
const QUOTED = /^(?:"(?:[^"\\]|\\.)*"|'[^']*')\s*(?:[;#].*)?$/;

/** Values as one place gives them, checked for their form alone. */
export type GivenSettings = Partial<Record<SettingKey, SettingValue>>;

/** The place of each value, such as "/etc/makuosan.conf:12". */
export type Places = Partial<Record<SettingKey, string>>;

/** The settings of all config files. */
export interface Config {
  readonly values: GivenSettings;
  readonly places: Places;
}

/**
 * Reads the config file and then the files `*.conf` of the directory beside it, such as /etc/makuosan.conf.d, in the
 * order of their names. A later file overrides earlier ones. The default config file may be missing.
 *
 * @throws UserError for a file that cannot be read, an unknown key, or a value of the wrong kind
 */
export function readConfig(configFile: string | undefined): Config {
  const main = configFile ?? DEFAULT_CONFIG;
  const values: GivenSettings = {};
  const places: Places = {};
  for (const file of [main, ...dropInsOf(main)]) {
    const text = readText(file, file === main && configFile === undefined);
    Object.assign(values, parseConfig(text, file));
    Object.assign(places, placesIn(text, file));
  }
  return { values, places };
}

function readText(file: string, mayBeMissing: boolean): string {
  try {
    return readConfigFile(file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const isLink = code === "ENOENT" && fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
    if (code === "ENOENT" && mayBeMissing && !isLink) return "";
    const missing = isLink ? "is a link to nothing" : "is missing";
    const why = code === "ENOENT" ? missing : `cannot be read (${code})`;
    throw new UserError(`the config file ${file} ${why}: name another with --config, or fix it`);
  }
}

/**
 * Reads one config file. A FIFO is not waited for, and a device without an end is read no further than a file may go.
 *
 * @throws an error with a code, as node:fs does; UserError for a file that is too large
 */
export function readConfigFile(file: string): string {
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const bytes = readBeginning(descriptor, CONFIG_BYTES + 1);
    if (bytes.length <= CONFIG_BYTES) return textOf(bytes, file);
  } finally {
    fs.closeSync(descriptor);
  }
  throw new UserError(
    `the config file ${file} is larger than ${CONFIG_BYTES} bytes, as no config file is: name another with --config, or fix it`,
  );
}

function textOf(bytes: Buffer, file: string): string {
  if (!bytes.includes(0)) return bytes.toString("utf8");
  throw new UserError(`the config file ${file} has a NUL byte in it: save it as text in UTF-8`);
}

/** The directory of further config files, beside the config file. */
export function dropInDirectory(configFile: string): string {
  return `${configFile}.d`;
}

function dropInsOf(configFile: string): string[] {
  const directory = dropInDirectory(configFile);
  let names: string[];
  try {
    names = fs.readdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (fs.lstatSync(directory, { throwIfNoEntry: false }) === undefined) return [];
    const mend = code === "EACCES" ? "fix its rights" : "make it a directory, or remove it";
    throw new UserError(`the config directory ${directory} cannot be read (${code}): ${mend}`);
  }
  // Editors and package managers make files with other names, or hidden ones.
  const isRead = (name: string) => name.endsWith(".conf") && !name.startsWith(".");
  return names
    .filter(isRead)
    .sort()
    .map((name) => path.join(directory, name));
}

/**
 * Reads the text of a config file.
 *
 * @param file its name in sentences
 * @throws UserError
 */
export function parseConfig(text: string, file: string): GivenSettings {
  const given: GivenSettings = {};
  const lines = text.split("\n");
  lines.forEach((line, index) => checkLine(line, `${file}:${index + 1}`));
  for (const [key, value] of Object.entries<unknown>(ini.parse(lines.map(withoutComment).join("\n")))) {
    const place = placeOf(key, lines, file);
    const setting = ALL_SETTINGS.find((one) => one.key === key);
    if (setting === undefined) throw unknownKey(key, value, place);
    const { form } = setting;
    const where = `${place}: ${key}`;
    if (form.kind === "list" && Array.isArray(value)) {
      given[setting.key] = value.flatMap((one) => form.parse(String(one), where) as readonly string[]);
    } else if (typeof value === "string" || typeof value === "boolean") {
      given[setting.key] = form.parse(String(value), where);
    } else {
      throw new UserError(`${place}: '${key}' is given as a section or a list: write '${key} = VALUE'`);
    }
  }
  return given;
}

/** @throws UserError for a line that the ini package would skip, or read in another way than it was meant */
function checkLine(line: string, place: string): void {
  const text = line.replace(/^\uFEFF/, "").trim();
  if (text === "" || /^[;#[]/.test(text)) return;
  const [key = "", ...rest] = text.split("=");
  const value = rest.join("=").trim();
  if (rest.length === 0) checkWithoutValue(text, place);
  else if (key.trim() === "") throw new UserError(`${place}: there is no key: write 'KEY = VALUE'`);
  // The ini package leaves this name out.
  if (key.trim() === "__proto__") throw unknownKey("__proto__", value, place);
  checkValue(value, place);
}

/** @throws UserError for a value that ends elsewhere than it was meant to */
function checkValue(value: string, place: string): void {
  if (/^["']/.test(value)) {
    checkQuotes(value, place);
    return;
  }
  const [, mark] = /[^\s\\]([#;])\S/.exec(value) ?? [];
  if (mark === undefined) return;
  throw new UserError(
    `${place}: the value has a '${mark}' in it: put it in quotes, or a space before a comment`,
  );
}

/**
 * Checks a value that begins with a quote.
 *
 * @throws UserError if it ends before or after the quote that closes it
 */
export function checkQuotes(value: string, place: string): void {
  const quote = value.charAt(0);
  if (!value.slice(1).includes(quote))
    throw new UserError(`${place}: the quote ${quote} is not closed: close it in the same line`);
  if (QUOTED.test(value)) return;
  throw new UserError(
    `${place}: the value does not end with the quote that closes it: put all of it in one pair of quotes, such as "A, B"`,
  );
}

/** In the format of ini files, a flag may stand alone. A key that is none gets the sentence for that. */
function checkWithoutValue(text: string, place: string): void {
  const [, word = "", value = ""] = /^([\w-]+)\s*:?\s*(.*)$/.exec(text) ?? [];
  const setting = ALL_SETTINGS.find(({ key }) => key === word);
  if (setting === undefined || (setting.form.kind === "flag" && value === "")) return;
  throw new UserError(`${place}: '${text}' has no '=': write '${word} = ${value === "" ? "VALUE" : value}'`);
}

/** The ini package takes a comment after a quoted value for a part of the value. */
function withoutComment(line: string): string {
  return line.replace(/^([^=;#]+=\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'))\s*[;#].*$/, "$1");
}

function placesIn(text: string, file: string): Places {
  const lines = text.split("\n");
  const places: Places = {};
  for (const { key } of ALL_SETTINGS) {
    const place = placeOf(key, lines, file);
    if (place !== file) places[key] = place;
  }
  return places;
}

/** The file and the line of a key's last value, or the file alone. */
function placeOf(key: string, lines: readonly string[], file: string): string {
  const names = [key, `${key}[]`, `"${key}"`, `[${key}]`];
  const index = lines.findLastIndex((line) => names.includes((line.split("=")[0] ?? "").trim()));
  return index === -1 ? file : `${file}:${index + 1}`;
}

/**
 * Reads the environment; an empty variable sets nothing.
 *
 * @throws UserError for a value of the wrong kind
 */
export function readEnvironment(environment: NodeJS.ProcessEnv): GivenSettings {
  const given: GivenSettings = {};
  for (const { key, form, environment: name = "" } of ALL_SETTINGS) {
    const text = environment[name] ?? "";
    if (text !== "") given[key] = form.parse(text, name);
  }
  return given;
}

/** The sentence for a key that is none. */
export function unknownKey(key: string, value: unknown, place: string): UserError {
  const known = ALL_SETTINGS.map((one) => one.key);
  if (typeof value === "object" && value !== null)
    return new UserError(`${place}: unknown section [${key}]: there are no sections, remove this line`);
  const [, name = ""] = /^no[-_]?([\w-]+)$/.exec(key) ?? [];
  // Its value would mean the opposite under the key that is most similar.
  const flag = ALL_SETTINGS.find((one) => one.key === name && one.form.kind === "flag");
  if (flag !== undefined)
    return new UserError(
      `${place}: unknown key '${key}': write '${flag.key} = no' for what --no-${flag.key} does`,
    );
  const similar = similarWord(key, known);
  const meant = similar === undefined ? "" : ` did you mean '${similar}'?`;
  return new UserError(`${place}: unknown key '${key}':${meant} the keys are ${known.join(", ")}`);
}
