/** Answers to manifest blocks that the sender has not confirmed. */
import type { Want } from "../../wire/status-message.ts";

type Answer = Omit<Want, "block">;

/**
 * Answers to manifest blocks that the sender has not confirmed (PROTOCOL.md 5.2): they are repeated until it does.
 */
export class PendingWants {
  private readonly answers = new Map<number, Answer & { sentMs: number }>();

  get isEmpty(): boolean {
    return this.answers.size === 0;
  }

  add(block: number, answer: Answer): void {
    this.answers.set(block, { ...answer, sentMs: -Infinity });
  }

  /** The sender has all answers to blocks below a number. */
  confirmBelow(settledBelow: number): void {
    for (const block of this.answers.keys()) if (block < settledBelow) this.answers.delete(block);
  }

  /** All answers are due at once: those that have been sent may have got lost. */
  repeatAll(): void {
    for (const answer of this.answers.values()) answer.sentMs = -Infinity;
  }

  /** Answers that have not been sent for so long. */
  due(nowMs: number, repeatMs: number): Want[] {
    const due: Want[] = [];
    for (const [block, { entries, differences, sentMs }] of this.answers)
      if (nowMs - sentMs >= repeatMs) due.push({ block, entries, differences });
    return due;
  }

  noteSent(wants: readonly Want[], nowMs: number): void {
    for (const { block } of wants) {
      const answer = this.answers.get(block);
      if (answer !== undefined) answer.sentMs = nowMs;
    }
  }
}
