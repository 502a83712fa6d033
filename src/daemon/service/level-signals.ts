/** SIGUSR1 and SIGUSR2 raise and lower the log level. */
import { LEVELS, type LogLevel } from "../settings/log-levels.ts";
import type { Log } from "./log.ts";

/** Lines of this level say that the level has changed, whatever the level is. */
const SHOWN_LEVEL: LogLevel = "info";

/**
 * Changes the level of the log by one step per signal: SIGUSR1 for more lines, SIGUSR2 for fewer. Signals that come before
 * the log is open are counted.
 */
export class LevelSignals {
  private log: Log | undefined;
  private pendingSteps = 0;

  /** From now on the signals end the process no longer. */
  listen(): void {
    process.on("SIGUSR1", () => this.step(1));
    process.on("SIGUSR2", () => this.step(-1));
  }

  /** Takes the log, and the steps that came before it was open. */
  attach(log: Log): void {
    this.log = log;
    if (this.pendingSteps !== 0) this.step(this.pendingSteps);
    this.pendingSteps = 0;
  }

  private step(steps: number): void {
    const { log } = this;
    if (log === undefined) {
      this.pendingSteps += steps;
      return;
    }
    const former = log.level as LogLevel;
    const index = Math.min(Math.max(LEVELS.indexOf(former) + steps, 0), LEVELS.length - 1);
    const level = LEVELS[index] ?? former;
    if (!log.isLevelEnabled(SHOWN_LEVEL)) log.level = SHOWN_LEVEL;
    log.info(level === former ? `the log level stays ${level}` : `the log level is ${level} now`);
    log.level = level;
  }
}
