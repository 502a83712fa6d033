/** The progress bar. */
import type cliProgress from "cli-progress";
import { displayText } from "../base/display.ts";
import type { ProgressEvent } from "../console/protocol.ts";
import { progressLine, type Speed } from "./progress-line.ts";

/** Transfers shorter than this show no progress bar. */
const QUIET_MS = 500;

/** The rate is that of the last seconds: a longer time hides that a push stands still, a shorter one jumps. */
const RATE_MS = 5_000;

/** The width if the terminal does not tell. */
const COLUMNS = 80;

interface Sample {
  readonly atMs: number;
  readonly event: ProgressEvent;
}

/** The progress bar of a long transfer, on a terminal only. */
export class Progress {
  private readonly beganMs = performance.now();
  private readonly isCheck: boolean;
  private readonly samples: Sample[] = [];
  private bar: cliProgress.SingleBar | undefined;

  private readonly drawing: typeof cliProgress | undefined;

  /** @param drawing what draws the bar; undefined for none */
  private constructor(isCheck: boolean, drawing: typeof cliProgress | undefined) {
    this.isCheck = isCheck;
    this.drawing = drawing;
  }

  /**
   * Loads what draws the bar only if there may be one: the start of msync is felt each time.
   *
   * @param isCheck whether contents are compared, and none are sent
   */
  static async open(isCheck: boolean): Promise<Progress> {
    return new Progress(isCheck, Progress.isPossible ? (await import("cli-progress")).default : undefined);
  }

  /** Whether the standard error is a terminal, where a bar can be shown. */
  static get isPossible(): boolean {
    return process.stderr.isTTY === true;
  }

  show(event: ProgressEvent): void {
    if (this.drawing === undefined) return;
    const nowMs = performance.now();
    const speed = this.speed(nowMs, event);
    if (nowMs - this.beganMs < QUIET_MS || (event.wantedBytes === 0 && !this.isCheck)) return;
    const columns = process.stderr.columns || COLUMNS;
    const line = progressLine(event, speed, displayText(event.slowest), columns, this.isCheck);
    if (this.bar === undefined) {
      this.bar = new this.drawing.SingleBar({
        format: (_options, _params, payload: { line?: string }) => payload.line ?? "",
        clearOnComplete: true,
        hideCursor: true,
      });
      this.bar.start(1, 0, { line });
      return;
    }
    this.bar.update(0, { line });
  }

  /** Takes the bar away. */
  end(): void {
    this.bar?.stop();
    this.bar = undefined;
  }

  private speed(nowMs: number, event: ProgressEvent): Speed {
    this.samples.push({ atMs: nowMs, event });
    while (this.samples.length > 2 && nowMs - (this.samples[0]?.atMs ?? 0) > RATE_MS) this.samples.shift();
    const first = this.samples[0] ?? { atMs: nowMs, event };
    const seconds = (nowMs - first.atMs) / 1000;
    if (seconds <= 0) return { bytesPerSecond: 0, entriesPerSecond: 0 };
    return {
      bytesPerSecond: Math.max(0, event.sentBytes - first.event.sentBytes) / seconds,
      entriesPerSecond: Math.max(0, event.entries - first.event.entries) / seconds,
    };
  }
}
