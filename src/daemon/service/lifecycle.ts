/** Stops the parts of the daemon in the reverse order of their start. */
import { assert } from "../../base/assert.ts";

/** Running work gets this long to end: half of what the service unit allows (TimeoutStopSec), so that the disk threads have the rest. */
const PATIENCE_MS = 10_000;

/** Between two looks whether work still runs: too short to be felt at the end of a command, and no load. */
const LOOK_MS = 20;

/** Stops one part. */
export type Closer = () => void | Promise<void>;

/** A part that holds something open. */
export interface Closable {
  close(): void;
}

/** What a part is busy with, and how it ends. */
export interface Work {
  /** Takes on nothing new from now on. */
  readonly refuse?: () => void;
  /** Whether something still runs. */
  readonly isBusy: () => boolean;
  /** Ends what still runs. Called when nothing runs any more, or when the patience is over. */
  readonly cutOff?: () => void;
}

/**
 * Knows what has been started, and stops it again. Each part tells how it is stopped when it is started, so stopping needs
 * no list of parts.
 *
 * Stopping has two halves. First all work comes to its end, while every part is still there to help with it. Then the
 * parts are stopped one by one, the one that was started last first. A start that fails in the middle stops in the same
 * way what it has started.
 */
export class Lifecycle {
  private readonly patienceMs: number;
  private readonly work: Work[] = [];
  private readonly closers: { readonly part: Closable | undefined; readonly close: Closer }[] = [];

  /** @param patienceMs how long running work may take to end */
  constructor(patienceMs = PATIENCE_MS) {
    this.patienceMs = patienceMs;
  }

  /** A part was started. */
  started(close: Closer): void {
    this.closers.push({ part: undefined, close });
  }

  /** A part was opened, and does nothing until it is put to work. */
  opened(part: Closable): void {
    this.closers.push({ part, close: () => part.close() });
  }

  /** A part that was opened before begins to work: what counts for the order of stopping is this moment. */
  putToWork(part: Closable): void {
    const index = this.closers.findIndex((closer) => closer.part === part);
    assert(index >= 0, "a part is opened before it is put to work");
    this.closers.push(...this.closers.splice(index, 1));
  }

  /** Something may be under way that has to be waited for before anything is stopped. */
  waitsFor(work: Work): void {
    this.work.push(work);
  }

  /** Ends all work, and then stops all parts. The second call finds nothing left to stop. */
  async stop(): Promise<void> {
    const work = this.work.splice(0);
    for (const { refuse } of work) refuse?.();
    const endMs = performance.now() + this.patienceMs;
    while (work.some(({ isBusy }) => isBusy()) && performance.now() < endMs)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    for (const { cutOff } of work) cutOff?.();
    for (let closer = this.closers.pop(); closer !== undefined; closer = this.closers.pop())
      await closer.close();
  }
}
