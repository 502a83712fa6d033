/** The commits of incoming transfers, between the two disk threads. */
import { type Reason, sentenceOf } from "../../base/reason.ts";
import { inboundName, type Effect, type InboundKey, type Input } from "../../engine/types.ts";
import type { DiskThreads } from "../disk/disk-threads.ts";
import type { SourceReply } from "../disk/messages.ts";

/**
 * Begins the commits of incoming transfers. Meanwhile the reading thread stands still: what this node sends is read
 * wholly before or wholly after a commit. A transfer that would change what a later transfer of this node has said
 * already is not committed; it fails on this node.
 */
export class Commits {
  private readonly disks: () => DiskThreads | undefined;
  private readonly handle: (input: Input) => void;
  /** The place of each transfer that is about to be committed, by its name. */
  private readonly orders = new Map<string, number>();

  /** @param handle takes inputs for the engine */
  constructor(disks: () => DiskThreads | undefined, handle: (input: Input) => void) {
    this.disks = disks;
    this.handle = handle;
  }

  /** @param veto why it must not happen; undefined if it may */
  begin({ key, order, ownAfter }: Extract<Effect, { kind: "commit" }>, veto?: Reason): void {
    this.disks()?.toSource({ kind: "hold", inbound: key, ownAfter: veto === undefined ? ownAfter : [] });
    this.orders.set(inboundName(key), order);
    // Without own transfers after it there is nothing to wait for: what begins later is read after "go-on".
    if (veto !== undefined) this.giveUp(veto, key);
    else if (ownAfter.length === 0) this.commit(key);
  }

  /** The reading thread has held the transfer against those of this node. */
  takeChecked({ inbound, failure }: Extract<SourceReply, { kind: "checked" }>): void {
    if (failure === undefined) this.commit(inbound);
    else this.giveUp(failure, inbound);
  }

  private commit(inbound: InboundKey): void {
    const order = this.orders.get(inboundName(inbound)) ?? 0;
    this.disks()?.toStage({ kind: "commit", inbound, order });
  }

  private giveUp(failure: Reason, inbound: InboundKey): void {
    this.disks()?.toStage({ kind: "discard", inbound });
    this.end(failure, inbound);
  }

  /** The commit is over, or has not begun. */
  end(failure: Reason | undefined, key: Extract<Effect, { kind: "commit" }>["key"]): void {
    this.orders.delete(inboundName(key));
    this.disks()?.toSource({ kind: "go-on" });
    this.handle({ kind: "committed", key, failure: failure === undefined ? undefined : sentenceOf(failure) });
  }
}
