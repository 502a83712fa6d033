/** Notices by its clocks that the machine was suspended, or goes on from a snapshot. */
import os from "node:os";

/**
 * Between two looks. What a machine seals after a restore may use a nonce again, so it should be noticed soon; a look costs
 * some 20 µs.
 */
const LOOK_MS = 1_000;

/** Clocks that are set or drift differ by less from one look to the next; a snapshot that is restored is mostly older. */
const LONGEST_JUMP_MS = 60_000;

/** If a look itself takes so long, the clocks were not read at one time, and tell nothing. */
const LONGEST_LOOK_MS = 1_000;

/** Three clocks of the kernel, in milliseconds. */
export interface Clocks {
  /** Stands still while the machine is suspended. */
  monotonicMs(): number;
  /** Goes on while the machine is suspended. */
  bootMs(): number;
  /** The time of day. It can be set. */
  wallMs(): number;
}

/** The clocks of this machine. */
export const systemClocks: Clocks = {
  monotonicMs: () => performance.now(),
  bootMs: () => os.uptime() * 1000,
  wallMs: () => Date.now(),
};

/**
 * Notices that the machine has stood still without the knowledge of its programs. A virtual machine that is restored from a
 * snapshot, or copied, has the epoch and the counters of an earlier time: it would seal other messages with a key and nonce
 * that have been used (PROTOCOL.md 7). Only a restart draws a new epoch.
 *
 * A snapshot has the time of day of its making until the clock is set right; then that jumps. A copy of a machine that runs
 * on at once has the right time of day, and is not noticed.
 */
export class ClockWatch {
  private readonly clocks: Clocks;
  private readonly onJump: (sentence: string) => void;
  private timer: NodeJS.Timeout | undefined;
  /** How far the other clocks were ahead of the monotonic one at the last look. */
  private bootAheadMs: number;
  private wallAheadMs: number;

  /** @param onJump called after each jump with a sentence that says which clock has jumped, and how far */
  constructor(clocks: Clocks, onJump: (sentence: string) => void) {
    this.clocks = clocks;
    this.onJump = onJump;
    const nowMs = clocks.monotonicMs();
    this.bootAheadMs = clocks.bootMs() - nowMs;
    this.wallAheadMs = clocks.wallMs() - nowMs;
  }

  /** Looks every second from now on. */
  start(): void {
    this.timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  /** Ends the looks. */
  stop(): void {
    clearInterval(this.timer);
  }

  /** Looks once. */
  look(): void {
    const { clocks, bootAheadMs, wallAheadMs } = this;
    const nowMs = clocks.monotonicMs();
    const aheadMs = { boot: clocks.bootMs() - nowMs, wall: clocks.wallMs() - nowMs };
    if (clocks.monotonicMs() - nowMs > LONGEST_LOOK_MS) return;
    this.bootAheadMs = aheadMs.boot;
    this.wallAheadMs = aheadMs.wall;
    if (aheadMs.boot - bootAheadMs > LONGEST_JUMP_MS)
      this.onJump(`the machine was suspended for ${seconds(aheadMs.boot - bootAheadMs)} s`);
    // A restored snapshot is never ahead of time, so a clock that is set back tells of none.
    else if (aheadMs.wall - wallAheadMs > LONGEST_JUMP_MS)
      this.onJump(`the clock jumped forward by ${seconds(aheadMs.wall - wallAheadMs)} s`);
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
