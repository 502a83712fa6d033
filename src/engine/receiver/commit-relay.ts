/** The COMMITs that a member has heard, and repeats for members that ask. */
import { Deadline } from "../../base/deadline.ts";
import { fraction } from "../../base/random.ts";
import { MEMBERS, RELAYED_TRANSFERS, TARGETS_PER_MESSAGE } from "../../wire/limits.ts";
import type { Commit, Query, Relay } from "../../wire/transfer-messages.ts";
import { spreadMs } from "../spread.ts";
import { type Effect, inboundName, type TransferName } from "../types.ts";
import type { ReceiverContext } from "./context.ts";

/** One COMMIT: its place, all members that it named, and those of them that wait for an answer. */
interface HeardCommit {
  readonly key: TransferName;
  order: number;
  readonly targets: Set<string>;
  readonly asking: Set<string>;
}

/**
 * Repeats COMMIT for members that have missed it (PROTOCOL.md 5.9). A member is told only of a COMMIT that named it: one
 * that was dropped before must not switch. With many members the answers are spread, and an answer that another member
 * has given is not given again.
 */
export class CommitRelay {
  private readonly context: ReceiverContext;
  private readonly effects: Effect[];
  /** Oldest first. */
  private readonly heard = new Map<string, HeardCommit>();
  private readonly due = new Deadline();

  /** @param effects where the answers are put */
  constructor(context: ReceiverContext, effects: Effect[]) {
    this.context = context;
    this.effects = effects;
  }

  /** When it answers, in milliseconds. */
  get atMs(): number {
    return this.due.atMs;
  }

  /** Takes note of a COMMIT of a transfer that this node receives. */
  noteCommit(key: TransferName, { order, targets }: Commit): void {
    const name = inboundName(key);
    const heard = this.heard.get(name) ?? { key, order, targets: new Set(), asking: new Set() };
    heard.order = Math.max(heard.order, order);
    // A fleet has no more members, so no sender can name more that are to be told.
    for (const epoch of targets) if (heard.targets.size < MEMBERS) heard.targets.add(epoch);
    this.heard.set(name, heard);
    for (const oldest of this.heard.keys()) {
      if (this.heard.size <= RELAYED_TRANSFERS) break;
      this.heard.delete(oldest);
    }
  }

  /** Another member has answered: those that it names need no second answer. */
  noteRelay({ sender, transfer, targets }: Relay): void {
    const heard = this.heard.get(inboundName({ epoch: sender, transfer }));
    for (const epoch of targets) heard?.asking.delete(epoch);
  }

  /** A member asks. It is answered soon if the COMMIT that was heard named it. */
  answer(epoch: string, { sender, transfer }: Query, nowMs: number): void {
    const heard = this.heard.get(inboundName({ epoch: sender, transfer }));
    if (heard?.targets.has(epoch) !== true) return;
    heard.asking.add(epoch);
    const spread = spreadMs(this.context.members());
    this.due.setNoLater(nowMs + (spread === 0 ? 0 : fraction(this.context.random) * spread));
    this.tick(nowMs);
  }

  /** Answers when it is due. */
  tick(nowMs: number): void {
    if (!this.due.take(nowMs)) return;
    for (const { key, order, asking } of this.heard.values()) {
      if (asking.size === 0) continue;
      const targets = [...asking].slice(0, TARGETS_PER_MESSAGE);
      for (const epoch of targets) asking.delete(epoch);
      const body = { sender: key.epoch, transfer: key.transfer, order, targets };
      this.effects.push({ kind: "send", destination: { to: "group" }, message: { type: "relay", body } });
      // More than one message can name: those that are left have their turn at the next look.
      if (asking.size > 0) this.due.set(nowMs);
    }
  }
}
