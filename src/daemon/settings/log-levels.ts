/** The levels from the fewest lines to the most, so that their index is the number of `-d`. */
export const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;

export type LogLevel = (typeof LEVELS)[number];
