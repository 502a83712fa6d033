/** Sentences about settings begin with the place of the value. */
import { UserError } from "../../base/user-error.ts";
import type { SettingKey } from "./settings-table.ts";

/**
 * Does some work with the value of a setting. A sentence about a value from a config file begins with the file and the
 * line.
 */
export type WithPlace = <T>(key: SettingKey, work: () => T) => T;

/**
 * @param place such as "/etc/makuosan.conf:12"; undefined for a value that is not from a config file
 * @throws UserError that names the place
 */
export function withPlace<T>(place: string | undefined, key: SettingKey, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw placed(error, place, key);
  }
}

/** An error about the value of a setting, with the place of the value before its sentence. */
export function placed(error: unknown, place: string | undefined, key: SettingKey): unknown {
  if (!(error instanceof UserError) || place === undefined) return error;
  const { message } = error;
  // Some sentences name the key themselves.
  const sentence = message.startsWith(`${key} is '`) ? message : `${key}: ${message}`;
  // It stays the error that it is, such as one that may go away by itself.
  error.message = `${place}: ${sentence}`;
  return error;
}
