/** Reads the config file, and the environment that sets some of the same. */
import fs from "node:fs";
import ini from "ini";
import { UserError } from "../../base/user-error.ts";
import type { SettingValue } from "./forms.ts";
import { ALL_SETTINGS, type SettingKey } from "./settings-table.ts";

export const DEFAULT_CONFIG = "/etc/makuosan.conf";

/** Values as one place gives them, checked for their form alone. */
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
    throw new UserError(`the config file ${file} ${why}: name another with --config, or fix it`);
  }
  return parseConfig(text, file);
}

/** Reads the text of a config file; `file` is its name in sentences. */
export function parseConfig(text: string, file: string): GivenSettings {
  const given: GivenSettings = {};
  for (const [key, value] of Object.entries<unknown>(ini.parse(text))) {
    const setting = ALL_SETTINGS.find((one) => one.key === key);
    if (setting === undefined) throw unknownKey(key, value, file);
    const { form } = setting;
    const where = `${file}: ${key}`;
    if (form.kind === "list" && Array.isArray(value)) {
      given[setting.key] = value.flatMap((one) => form.parse(String(one), where) as readonly string[]);
    } else if (typeof value === "string" || typeof value === "boolean") {
      given[setting.key] = form.parse(String(value), where);
    } else {
      throw new UserError(`${file}: '${key}' is given as a section or a list: write '${key} = VALUE'`);
    }
  }
  return given;
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

function unknownKey(key: string, value: unknown, file: string): UserError {
  const what = typeof value === "object" && value !== null ? `section [${key}]` : `key '${key}'`;
  const known = ALL_SETTINGS.map((one) => one.key).join(", ");
  return new UserError(`${file}: unknown ${what}: the keys are ${known}`);
}
