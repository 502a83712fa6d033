/** Which place its members give the transfer, and whether they agree. */
import { MemberPhase } from "../../wire/status-message.ts";
import type { Barrier, MemberProgress } from "./barrier.ts";

/**
 * The place of a transfer among all others (PROTOCOL.md 5.6). Each member proposes one, the highest is taken, and
 * those that have proposed less move theirs back to it. Only when all of them have the same may COMMIT be said.
 */
export class Ordering {
  private readonly barrier: Barrier;
  /** The highest place that any member has proposed, be it in the transfer still or not. */
  private highest = 0;
  private told = 0;

  constructor(barrier: Barrier) {
    this.barrier = barrier;
  }

  /** Looks at what the members have proposed. */
  update(): void {
    for (const { order } of this.barrier.progress) this.highest = Math.max(this.highest, order);
  }

  /** The place, as far as it is known. */
  get order(): number {
    return this.highest;
  }

  get isAgreed(): boolean {
    return this.behind.length === 0;
  }

  /** Whether all have proposed, and some have to be told that others have proposed more. */
  get isToBeTold(): boolean {
    return this.told < this.highest && this.barrier.everyone(MemberPhase.ordered);
  }

  isBehind({ phase, order }: MemberProgress): boolean {
    return phase < MemberPhase.ordered || order < this.highest;
  }

  /** Those that have yet to propose, or to move their place back. */
  get behind(): string[] {
    return [...this.barrier.progress].filter((one) => this.isBehind(one)).map((one) => one.member.epoch);
  }

  /** They are being told of the highest place. */
  noteTold(): void {
    this.told = this.highest;
  }
}
