/** The levels of the log. */
import { UserError } from "../../base/user-error.ts";

/** From the fewest lines to the most, so that the index of a level is the number of `-d`. */
export const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;

export type LogLevel = (typeof LEVELS)[number];

/** @throws UserError for a level that does not exist */
export function parseLogLevel(text: string): LogLevel {
  const level = /^[0-5]$/.test(text) ? LEVELS[Number(text)] : LEVELS.find((one) => one === text);
  if (level !== undefined) return level;
  throw new UserError(`the log level '${text}' does not exist: give ${LEVELS.join(", ")}, or 0 to 5`);
}
