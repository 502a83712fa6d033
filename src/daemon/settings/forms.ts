/** The forms that the value of a setting can have, each with its parser. */
import { UserError } from "../../base/user-error.ts";

/** A value as it was given, checked for its form alone. */
export type SettingValue = string | number | boolean | readonly string[];

/** What a shell offers as the value: entries of the disk or of the machine, or these words. */
export type Completion = "file" | "directory" | "user" | "group" | "interface" | readonly string[];

export interface Form<Value extends SettingValue = SettingValue> {
  readonly kind: "text" | "path" | "flag" | "number" | "list";
  /**
   * @param where how a sentence names the place of the value
   * @throws UserError for a text that has another form
   */
  readonly parse: (text: string, where: string) => Value;
  readonly completion?: Completion;
  /** The least and the most that a number can be. */
  readonly range?: readonly [least: number, most: number];
}

/** A shell offers the numbers of a range that has no more than these. */
const OFFERED_NUMBERS = 10;

export const text: Form<string> = { kind: "text", parse: parseText };
export const user: Form<string> = { ...text, completion: "user" };
export const group: Form<string> = { ...text, completion: "group" };
export const networkInterface: Form<string> = { ...text, completion: "interface" };

/** A text for which a shell offers these words. */
export const words = (offered: readonly string[]): Form<string> => ({ ...text, completion: offered });

/** Paths are resolved against the directory in which the daemon was started. */
export const file: Form<string> = { kind: "path", parse: parsePath, completion: "file" };
export const directory: Form<string> = { ...file, completion: "directory" };

export const flag: Form<boolean> = { kind: "flag", parse: parseFlag };

export const list: Form<readonly string[]> = { kind: "list", parse: parseList };
export const groups: Form<readonly string[]> = { ...list, completion: "group" };

/** A whole number in a range that includes both ends. */
export function number(least: number, most: number): Form<number> {
  const count = most - least + 1;
  const offered = Array.from(
    { length: count > OFFERED_NUMBERS ? 0 : count },
    (_, index) => `${least + index}`,
  );
  const parse = (given: string, where: string) => {
    if (isWhole(given, least, most)) return Number(given);
    throw new UserError(`${where} is '${given}': give a whole number from ${least} to ${most}`);
  };
  return { kind: "number", parse, range: [least, most], ...(offered.length > 0 && { completion: offered }) };
}

function isWhole(given: string, least: number, most: number): boolean {
  return /^\d+$/.test(given) && Number(given) >= least && Number(given) <= most;
}

/** The same, but 0 is possible, too: it means the default, as with versions before 2. */
export function orDefault(form: Form<number>): Form<number> {
  const [least, most] = form.range ?? [0, 0];
  const parse = (given: string, where: string) => {
    if (isWhole(given, least, most) || /^0+$/.test(given)) return Number(given);
    throw new UserError(`${where} is '${given}': give 0, or a whole number from ${least} to ${most}`);
  };
  return { ...form, parse };
}

function parseText(given: string, where: string): string {
  if (given === "") throw new UserError(`${where} is empty: give a value, or leave it out`);
  checkCharacters(given, where);
  return given;
}

/** What a text has in the place of bytes that are no characters. */
const NO_CHARACTER = "\uFFFD";

function checkCharacters(given: string, where: string): void {
  if (given.includes(NO_CHARACTER))
    throw new UserError(`${where} has bytes in it that are not UTF-8: write it in UTF-8`);
}

/** A shell puts other paths in the place of these; here they would be names of directories. */
function parsePath(given: string, where: string): string {
  if (!/^(?:~(?:\/|$)|\$)/.test(given)) return parseText(given, where);
  throw new UserError(
    `${where} is '${given}': nothing is put in the place of '${given.charAt(0)}', give the whole path`,
  );
}

function parseList(given: string, where: string): string[] {
  checkCharacters(given, where);
  const items = given.split(",").map((item) => item.trim());
  if (items.includes("")) throw new UserError(`${where} has an empty place: write A,B or leave it out`);
  return items;
}

function parseFlag(given: string, where: string): boolean {
  if (["yes", "true", "on", "1"].includes(given.toLowerCase())) return true;
  if (["no", "false", "off", "0"].includes(given.toLowerCase())) return false;
  throw new UserError(`${where} is '${given}': give yes or no`);
}
