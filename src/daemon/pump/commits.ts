/** The commits of incoming transfers, between the two disk threads. */
import { type Reason, sentenceOf } from "../../base/reason.ts";
import type { FollowedUndo } from "../../engine/catch-up/undo-choice.ts";
import { type Effect, inboundName, type InboundKey, type Input } from "../../engine/types.ts";
import type { DiskThreads } from "../disk/disk-threads.ts";
import type { SourceReply } from "../disk/messages.ts";

/** Whether a transfer may be committed after all, and how. */
export interface CommitDecision {
  /** Why it must not be; undefined if it may. */
  readonly veto: Reason | undefined;
  /** The names of lists whose paths it leaves alone: they have taken effect here, and are later. */
  readonly later: readonly string[];
  /** Transfers of this node that it comes before, whatever their places are. */
  readonly own: readonly number[];
}

/** It may, like most. */
export const GO_ON: CommitDecision = { veto: undefined, later: [], own: [] };

/** Asks whether a transfer may be committed. */
type Decide = (then: (decision: CommitDecision) => void) => void;

/**
 * Begins the commits of incoming transfers. Meanwhile the reading thread stands still: what this node sends is read
 * wholly before or wholly after a commit. A transfer that would change what a later transfer of this node has said
 * already is not committed; it fails on this node. With all or nothing it has to be known before, so the reading thread stands
 * still from the moment when the transfer gets its place.
 */
export class Commits {
  private readonly disks: () => DiskThreads | undefined;
  private readonly handle: (input: Input) => void;
  private readonly follows: () => FollowedUndo | undefined;
  /**
   * What the reading thread stands still for: before a transfer gets its place, before it commits, or until its commit has
   * changed the tree.
   */
  private readonly held = new Map<string, "place" | "look" | "commit">();
  /** The transfers of which it is not known yet whether something is in their way. */
  private readonly weighing = new Set<string>();
  /** The place of each transfer that is about to be committed, by its name, and what it leaves alone. */
  private readonly begun = new Map<string, { readonly order: number; readonly later: readonly string[] }>();

  /**
   * @param handle takes inputs for the engine
   * @param follows the undo that this host lacks, if it lacks nothing else
   */
  constructor(
    disks: () => DiskThreads | undefined,
    handle: (input: Input) => void,
    follows: () => FollowedUndo | undefined,
  ) {
    this.disks = disks;
    this.handle = handle;
    this.follows = follows;
  }

  /**
   * A transfer is about to get its place, or to be committed everywhere.
   *
   * @param decide calls back with what else is known about it; that may be later, and after the end of the transfer
   */
  weigh({ key, own }: Extract<Effect, { kind: "weigh" }>, decide: Decide = (weigh) => weigh(GO_ON)): void {
    this.weighing.add(nameOf(key));
    decide(({ veto }) => {
      if (!this.weighing.delete(nameOf(key))) return;
      if (veto !== undefined) {
        this.handle({ kind: "weighed", key, failure: sentenceOf(veto) });
        return;
      }
      this.held.set(nameOf(key), "place");
      this.disks()?.toSource({ kind: "hold", inbound: key, ownAfter: own });
      if (own.length === 0) this.handle({ kind: "weighed", key, failure: undefined });
    });
  }

  begin({ key, order, ownAfter }: Extract<Effect, { kind: "commit" }>, decision = GO_ON): void {
    const { veto, later } = decision;
    this.begun.set(nameOf(key), { order, later });
    if (veto !== undefined) {
      this.giveUp(veto, key);
      return;
    }
    const own = [...new Set([...ownAfter, ...decision.own])];
    const isHeld = this.held.has(nameOf(key));
    if (!isHeld) this.disks()?.toSource({ kind: "hold", inbound: key, ownAfter: own });
    // Nothing was read since the last look, or what is read later is read after "go-on".
    if (isHeld || own.length === 0) this.commit(key);
    else this.held.set(nameOf(key), "look");
  }

  /** The reading thread has held the transfer against those of this node. */
  takeChecked({ inbound, failure }: Extract<SourceReply, { kind: "checked" }>): void {
    const purpose = this.held.get(nameOf(inbound));
    if (purpose === "place")
      this.handle({ kind: "weighed", key: inbound, failure: failure && sentenceOf(failure) });
    else if (purpose === "look" && failure === undefined) this.commit(inbound);
    else if (purpose === "look") this.giveUp(failure, inbound);
  }

  /** A transfer is not going to be committed. */
  discard(key: InboundKey): void {
    this.weighing.delete(nameOf(key));
    this.release(key);
    this.disks()?.toStage({ kind: "discard", inbound: key });
  }

  /** The tree has changed: others may read it, and the next commit may begin. */
  switched(key: InboundKey): void {
    this.release(key);
    this.handle({ kind: "switched", key });
  }

  /** The commit is over, or has not begun. */
  end(failure: Reason | undefined, key: InboundKey): void {
    this.release(key);
    this.handle({ kind: "committed", key, failure: failure && sentenceOf(failure) });
  }

  private commit(key: InboundKey): void {
    this.held.set(nameOf(key), "commit");
    const { order, later } = this.begun.get(nameOf(key)) ?? { order: 0, later: [] };
    const follows = this.follows();
    this.disks()?.toStage({ kind: "commit", inbound: key, order, later, follows });
  }

  private giveUp(failure: Reason | undefined, key: InboundKey): void {
    this.discard(key);
    this.end(failure, key);
  }

  private release(key: InboundKey): void {
    this.begun.delete(nameOf(key));
    if (this.held.delete(nameOf(key))) this.disks()?.toSource({ kind: "go-on" });
  }
}

function nameOf(key: InboundKey): string {
  return `${inboundName(key)}-${key.admission}`;
}
