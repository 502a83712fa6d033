import { below, fraction, type Random } from "../../src/base/random.ts";
import { DiskError } from "../disk/disk-error.ts";
import { type CallKind, type DiskCall, type DiskHook, PowerFailure } from "../disk/faults.ts";

/** How often a disk fails; shares of its calls. */
export interface DiskFaults {
  /** Calls that change something fail. */
  changes: number;
  /** Calls that only look fail. */
  looks: number;
  /** Calls that make something durable fail. */
  syncs: number;
  /** Operations that take very long. */
  stalls: number;
  /** Between two steps of a comparison, a program writes to a file that it is about. */
  writers: number;
}

export const NO_DISK_FAULTS: DiskFaults = { changes: 0, looks: 0, syncs: 0, stalls: 0, writers: 0 };

/** How a host ends: without power, or only its daemon by a signal. */
export type Death = "power loss" | "kill";

/** The process is killed: it makes no call any more. */
class ProcessKilled extends Error {}

const SYNCS: ReadonlySet<CallKind> = new Set(["syncContents", "syncFile", "syncDirectory", "syncFileSystem"]);
const CODES = ["EIO", "EIO", "ENOSPC", "EROFS"] as const;

/** What goes wrong with the disk of one process while it runs: it sees each of the calls. */
export class DiskTrouble {
  private readonly random: Random;
  private readonly faults: DiskFaults;
  private countdown = 0;
  private sampleCountdown = 0;
  private isSampledAtSyncs = false;
  private sample: (() => void) | undefined;
  death: Death | undefined;
  isDead = false;
  /** Whether calls fail: none does while an earlier process's work is finished. */
  canFail = true;
  /** What an oracle has found in the middle of a call, where the code under test may have caught it. */
  private violation: unknown;
  /** Faults since they were taken the last time, and those among them that were of syncs. */
  private met = { faults: 0, syncs: 0 };
  /** Sees each change before it is made. */
  watch: ((call: DiskCall) => void) | undefined;

  constructor(random: Random, faults: DiskFaults) {
    this.random = random;
    this.faults = faults;
  }

  readonly hook: DiskHook = (call) => {
    if (this.isDead) throw new ProcessKilled();
    if (call.isChange) {
      if (this.countdown > 0 && --this.countdown === 0) this.dieNow();
      const isCounted = SYNCS.has(call.kind) || !this.isSampledAtSyncs;
      if (isCounted && this.sampleCountdown > 0 && --this.sampleCountdown === 0)
        this.look(() => this.sample?.());
      this.look(() => this.watch?.(call));
    }
    this.maybeFail(call);
  };

  /** Lets the process end before one of its next changes. */
  dieSoon(death: Death, changes: number): void {
    this.death = death;
    this.countdown = changes;
  }

  /** Does something once, before one of the next changes, or of the next syncs, at which most is at stake. */
  sampleSoon(calls: number, atSyncs: boolean, sample: () => void): void {
    this.sampleCountdown = calls;
    this.isSampledAtSyncs = atSyncs;
    this.sample = sample;
  }

  noSample(): void {
    this.sampleCountdown = 0;
    this.sample = undefined;
  }

  /** Throws what an oracle has found meanwhile. */
  rethrow(): void {
    if (this.violation !== undefined) throw this.violation as Error;
  }

  get hasMet(): boolean {
    return this.met.faults > 0;
  }

  takeMet(): { faults: number; syncs: number } {
    this.rethrow();
    const { met } = this;
    this.met = { faults: 0, syncs: 0 };
    return met;
  }

  get writers(): number {
    return this.faults.writers;
  }

  /** How long the disk takes for its next operation. */
  delayMs(): number {
    const stallMs = fraction(this.random) < this.faults.stalls ? below(this.random, 3_000) : 0;
    return 0.05 + fraction(this.random) + stallMs;
  }

  private look(judge: () => void): void {
    try {
      judge();
    } catch (error) {
      this.violation ??= error;
      throw error;
    }
  }

  private dieNow(): never {
    this.isDead = true;
    throw this.death === "kill" ? new ProcessKilled() : new PowerFailure();
  }

  private maybeFail({ kind, isChange }: DiskCall): void {
    // A close tells of errors, too, but nothing that is not closed can be closed again.
    if (kind === "closeDirectory" || kind === "closeFile") return;
    const { syncs, changes, looks } = this.faults;
    const share = SYNCS.has(kind) ? syncs : isChange ? changes : looks;
    if (!this.canFail || share === 0 || fraction(this.random) >= share) return;
    this.met.faults++;
    if (SYNCS.has(kind)) this.met.syncs++;
    throw new DiskError(isChange ? (CODES[below(this.random, CODES.length)] ?? "EIO") : "EIO", kind);
  }
}
