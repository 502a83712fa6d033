/** Changes settings in a config file of the daemon's own: `makuosan --set`. */
import fs from "node:fs";
import path from "node:path";
import ini from "ini";
import { replaceFile } from "../../sys/own-files.ts";
import { UserError } from "../../base/user-error.ts";
import {
  checkQuotes,
  DEFAULT_CONFIG,
  dropInDirectory,
  parseConfig,
  readConfig,
  readConfigFile,
  unknownKey,
} from "./config.ts";
import { ALL_SETTINGS } from "./settings-table.ts";
import { errorCode } from "../../sys/system-error.ts";

/** Later than files of packages and images, earlier than those that an administrator wants to be last. */
const FILE_NAME = "50-set.conf";

/** The place of a value in sentences. */
const PLACE = "--set";

/** Everybody may read a config file, whatever the umask is. */
const WRITE_OF_OTHERS = 0o022;

type Check = (value: unknown) => unknown;

const HEADER = "; Written by makuosan --set: comments are not kept.\n";

/**
 * Sets values in the file 50-set.conf beside the config file. An empty value removes the line.
 *
 * @param configFile undefined for the default one
 * @param assignments such as "base=/srv/makuosan"
 * @returns a sentence for each value
 * @throws UserError for an unknown key, a wrong value, or a file that cannot be written
 */
export function setValues(configFile: string | undefined, assignments: readonly string[]): string[] {
  const directory = dropInDirectory(configFile ?? DEFAULT_CONFIG);
  const file = path.join(directory, FILE_NAME);
  const values = new Map(Object.entries<string>(ini.parse(readOld(file))));
  const given = new Set<string>();
  const keys = assignments.map((assignment) => {
    const [key = "", ...rest] = assignment.split("=");
    const name = key.trim();
    const value = fullValue(name, unquoted(rest.join("=").trim()));
    if (rest.length === 0) throw new UserError(`--set is '${assignment}': give KEY=VALUE`);
    if (given.has(name)) throw new UserError(`--set gives ${name} twice: leave one of the values out`);
    given.add(name);
    // The ini package leaves this name out, so the check of the whole text does not see it.
    if (name === "__proto__") throw unknownKey(name, value, PLACE);
    if (value === "") values.delete(name);
    else values.set(name, value);
    return name;
  });
  const text = HEADER + ini.stringify(Object.fromEntries(values), { whitespace: true });
  checkValues(text);
  write(directory, file, text);
  const { places } = readConfig(configFile);
  return keys.map((key) => sentenceOf(key, values.get(key), file, places));
}

/** A value can have its quotes, as in the file. */
function unquoted(value: string): string {
  if (!/^["']/.test(value)) return value;
  checkQuotes(value, PLACE);
  return String(ini.parse(`value = ${value}`)["value"]);
}

/** A path is meant from the directory in which it is typed, and the daemon starts in another one. */
function fullValue(key: string, value: string): string {
  const isPath = ALL_SETTINGS.find((one) => one.key === key)?.form.kind === "path";
  return isPath && value !== "" ? path.resolve(value) : value;
}

/** Checks the text as the daemon would read it, with the values that can be judged without a look at the host. */
function checkValues(text: string): void {
  try {
    for (const [key, value] of Object.entries(parseConfig(text, PLACE))) {
      const check = ALL_SETTINGS.find((one) => one.key === key)?.check as Check | undefined;
      check?.(value);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message.replace(/^--set:\d+/, PLACE));
  }
}

function readOld(file: string): string {
  try {
    return readConfigFile(file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return "";
    throw new UserError(`${file} cannot be read (${code}): run makuosan --set as root`);
  }
}

function write(directory: string, file: string, text: string): void {
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o755 });
    // The file has its mode from the start: a change by path could meet something else in its place.
    const umask = process.umask(WRITE_OF_OTHERS);
    try {
      replaceFile(file, text, 0o644);
    } finally {
      process.umask(umask);
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === "EACCES" || code === "EPERM")
      throw new UserError(`${file} cannot be written (${code}): run makuosan --set as root`);
    const above = path.dirname(directory);
    throw new UserError(
      `${file} cannot be written (${code}): see 'ls -ld ${directory}' and 'findmnt -T ${above}'`,
    );
  }
}

/** The result for one value: another file may override it. */
function sentenceOf(
  key: string,
  value: string | undefined,
  file: string,
  places: Readonly<Record<string, string>>,
): string {
  const place = places[key];
  const isOverridden = place !== undefined && !place.startsWith(`${file}:`);
  if (value === undefined) return isOverridden ? `${key} is as ${place} has it` : `${key} has its default`;
  return isOverridden
    ? `${key} = ${value} is in ${file}, but ${place} overrides it: change it there`
    : `${key} = ${value} is in ${file}`;
}
