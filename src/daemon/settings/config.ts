/** Reads the config file. */
import fs from "node:fs";
import ini from "ini";
import { UserError } from "../../base/user-error.ts";
import { type Setting, SETTINGS, type SettingKey, type SettingValue } from "./settings-table.ts";

export const DEFAULT_CONFIG = "/etc/makuosan.conf";

export type GivenSettings = Partial<Record<SettingKey, SettingValue>>;

/**
 * Reads the config file. The default one may be missing.
 *
 * @throws UserError for a file that cannot be read, an unknown key, or a value of the wrong kind
 */
export function readConfig(path: string | undefined): GivenSettings {
  const file = path ?? DEFAULT_CONFIG;
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && path === undefined) return {};
    const why = code === "ENOENT" ? "is missing" : `cannot be read (${code})`;
    throw new UserError(`the config file ${file} ${why}: name another with --config, or mend it`);
  }
  return parseConfig(text, file);
}

/** Reads the text of a config file; `file` is its name for the sentences. */
export function parseConfig(text: string, file: string): GivenSettings {
  const given: GivenSettings = {};
  for (const [key, value] of Object.entries<unknown>(ini.parse(text))) {
    const setting = SETTINGS.find((one) => one.key === key);
    if (setting === undefined) throw unknownKey(key, value, file);
    const where = `${file}: ${key}`;
    if (setting.form.kind === "list" && Array.isArray(value)) {
      given[setting.key] = value.flatMap(
        (one) => parseValue(setting, String(one), where) as readonly string[],
      );
    } else if (typeof value === "string" || typeof value === "boolean") {
      given[setting.key] = parseValue(setting, String(value), where);
    } else {
      throw new UserError(`${file}: '${key}' is given as a section or a list: write '${key} = VALUE'`);
    }
  }
  return given;
}

/**
 * What the environment says; empty variables say nothing.
 *
 * @throws UserError for a value of the wrong kind
 */
export function readEnvironment(environment: NodeJS.ProcessEnv): GivenSettings {
  const given: GivenSettings = {};
  for (const setting of SETTINGS as readonly (Setting & { key: SettingKey })[]) {
    const { environment: name = "" } = setting;
    const text = environment[name] ?? "";
    if (text !== "") given[setting.key] = parseValue(setting, text, name);
  }
  return given;
}

function unknownKey(key: string, value: unknown, file: string): UserError {
  const what = typeof value === "object" && value !== null ? `section [${key}]` : `key '${key}'`;
  const known = SETTINGS.map((one) => one.key).join(", ");
  return new UserError(`${file}: unknown ${what}: the keys are ${known}`);
}

/**
 * Checks a value's form.
 *
 * @param where how the value is named in the sentence
 * @throws UserError
 */
export function parseValue(setting: Setting, text: string, where: string): SettingValue {
  const { form } = setting;
  switch (form.kind) {
    case "text":
      if (text === "") throw new UserError(`${where} is empty: give a value, or leave it out`);
      return text;
    case "list":
      return parseList(text, where);
    case "flag":
      return parseFlag(text, where);
    case "number": {
      const number = Number(text);
      if (/^\d+$/.test(text) && number >= form.least && number <= form.most) return number;
      throw new UserError(`${where} is '${text}': give a whole number from ${form.least} to ${form.most}`);
    }
  }
}

function parseList(text: string, where: string): string[] {
  const items = text.split(",").map((item) => item.trim());
  if (items.includes("")) throw new UserError(`${where} has an empty place: write A,B or leave it out`);
  return items;
}

function parseFlag(text: string, where: string): boolean {
  if (["yes", "true", "on", "1"].includes(text.toLowerCase())) return true;
  if (["no", "false", "off", "0"].includes(text.toLowerCase())) return false;
  throw new UserError(`${where} is '${text}': give yes or no`);
}
