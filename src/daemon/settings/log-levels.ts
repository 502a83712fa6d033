/** The levels of the log. */
import { UserError } from "../../base/user-error.ts";

/** From the fewest lines to the most. */
export const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;

export type LogLevel = (typeof LEVELS)[number];

/**
 * The level of each number from 0 to 9. Versions before 2 had numbers: 0 for errors, 1 for each command and each file, 9
 * for all.
 */
const NUMBERED: readonly LogLevel[] = [
  "error",
  ...Array<LogLevel>(7).fill("debug"),
  ...Array<LogLevel>(2).fill("trace"),
];

/** @throws UserError for a level that does not exist */
export function parseLogLevel(text: string): LogLevel {
  const level = /^\d$/.test(text) ? NUMBERED[Number(text)] : LEVELS.find((one) => one === text);
  if (level !== undefined) return level;
  throw new UserError(`the log level '${text}' does not exist: give ${LEVELS.join(", ")}, or 0 to 9`);
}
