/** The progress bar. */
import type cliProgress from "cli-progress";
import { displayText } from "../base/display.ts";
import type { ProgressEvent } from "../console/protocol.ts";

/** Transfers shorter than this show no progress bar. */
const QUIET_MS = 500;

/** The progress bar of a long transfer, on a terminal only. */
export class Progress {
  private readonly beganMs = performance.now();
  private readonly drawing: typeof cliProgress | undefined;
  private bar: cliProgress.SingleBar | undefined;

  /** @param drawing what draws the bar; undefined for none */
  private constructor(drawing: typeof cliProgress | undefined) {
    this.drawing = drawing;
  }

  /** Loads what draws the bar only if there may be one: the start of msync is felt each time. */
  static async open(): Promise<Progress> {
    return new Progress(Progress.isPossible ? (await import("cli-progress")).default : undefined);
  }

  /** Whether the standard error is a terminal, where a bar can be shown. */
  static get isPossible(): boolean {
    return process.stderr.isTTY === true;
  }

  show(event: ProgressEvent): void {
    const elapsedSeconds = (performance.now() - this.beganMs) / 1000;
    if (this.drawing === undefined || elapsedSeconds * 1000 < QUIET_MS || event.wantedBytes === 0) return;
    const rate = `${(event.sentBytes / elapsedSeconds / 1e6).toFixed(1)} MB/s`;
    const note = event.phase === "committing" ? "committing" : `slowest: ${displayText(event.slowest)}`;
    if (this.bar === undefined) {
      this.bar = new this.drawing.SingleBar({
        format: "{bar} {percentage}% | {rate} | {eta_formatted} left | {note}",
        clearOnComplete: true,
        hideCursor: true,
        barsize: 30,
        etaBuffer: 20,
      });
      this.bar.start(event.wantedBytes, event.sentBytes, { rate, note });
      return;
    }
    this.bar.setTotal(event.wantedBytes);
    this.bar.update(event.sentBytes, { rate, note });
  }

  /** Takes the bar away. */
  end(): void {
    this.bar?.stop();
    this.bar = undefined;
  }
}
