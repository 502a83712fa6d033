/** The settings `check-every` and `drift`. */
import { UserError } from "../../base/user-error.ts";

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A timer of Node cannot be longer than 24.8 days. */
const MOST_MS = 24 * 86_400_000;

/** What a host does with entries that are not as they were published. */
export type DriftMode = "report" | "repair";

export const DRIFT_MODES: readonly DriftMode[] = ["report", "repair"];

/**
 * @returns milliseconds; 0 for never
 * @throws UserError for anything else than `no` or a number of seconds, minutes, hours or days
 */
export function parseInterval(text: string): number {
  if (text === "no") return 0;
  const [, number = "", unit = ""] = /^([1-9]\d{0,4})([smhd])$/.exec(text) ?? [];
  const ms = Number(number) * (UNIT_MS[unit] ?? 0);
  if (ms > 0 && ms <= MOST_MS) return ms;
  throw new UserError(`check-every is '${text}': give no, or a time such as 30m, 24h or 7d, up to 24d`);
}

/** @throws UserError for a repair that nothing can be brought for */
export function checkDrift(mode: DriftMode, catchesUp: boolean): void {
  if (mode === "repair" && !catchesUp)
    throw new UserError("drift is 'repair', but catch-up is off: set 'catch-up = yes', or 'drift = report'");
}

/** @throws UserError for any other word */
export function parseDriftMode(text: string): DriftMode {
  const mode = DRIFT_MODES.find((one) => one === text);
  if (mode === undefined) throw new UserError(`drift is '${text}': give report or repair`);
  return mode;
}
