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
  if (place === undefined) return work();
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, exitStatus } = error;
    // Some sentences name the key themselves.
    const sentence = message.startsWith(`${key} is '`) ? message : `${key}: ${message}`;
    throw new UserError(`${place}: ${sentence}`, exitStatus);
  }
}
