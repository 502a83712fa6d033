/** Transfers that bring back an earlier state, or bring earlier publications: whether each may be committed, and what it leaves alone. */
import { reason } from "../../base/reason.ts";
import type { Here, PublicationLog } from "../../engine/catch-up/publication-log.ts";
import { overlap } from "../../engine/catch-up/scopes.ts";
import { obstacleTo } from "../../engine/catch-up/undo-choice.ts";
import { inboundName, type InboundKey } from "../../engine/types.ts";
import type { Origin } from "../../wire/origin.ts";
import type { Publication } from "../../wire/publication.ts";
import type { StageAnswer } from "../disk/messages.ts";
import type { EffectTimes } from "./effect-times.ts";
import { type CommitDecision, GO_ON } from "../pump/commits.ts";

const VAIN: CommitDecision = { ...GO_ON, veto: reason("newer-push") };

const CROSSED: CommitDecision = { ...GO_ON, veto: reason("undo-crossed") };

/** What runs beside a transfer. */
interface Beside {
  /** Whether it was ready when this host stopped. */
  readonly isKept: boolean;
  readonly own: () => readonly OwnPush[];
  readonly ownAfter: readonly number[];
}

/** A push of this host with its number. */
type OwnPush = readonly [number, { readonly publication: Pick<Publication, "undoes" | "scope"> }];

/**
 * Such a transfer has what was published up to a state of the log. Pushes go on meanwhile. They are later, so it leaves their paths
 * alone; their lists say which ones these are (PROTOCOL.md 9.3).
 */
export class BroughtTransfers {
  /** The origin of each transfer that is prepared here. */
  private readonly origins = new Map<string, Origin>();
  /** When each of them was committed here, and whether its paths were recorded. */
  private readonly brought = new Map<string, Here>();
  /** When each transfer has changed the tree that has not ended yet: it may not be in the log. */
  private readonly switched = new Map<string, number>();
  /** Commits that wait until all of these are in the log. */
  private readonly waiting: (() => void)[] = [];
  /** The state of the log that the last one was made by. An earlier one would bring older entries. */
  private lastState = 0;
  private readonly times: EffectTimes;

  constructor(times: EffectTimes) {
    this.times = times;
  }

  /** An answer of the staging thread. */
  note(answer: StageAnswer, log: PublicationLog | undefined): void {
    const name = inboundName(answer.inbound);
    if (answer.kind === "prepared" && answer.origin !== undefined) this.origins.set(name, answer.origin);
    if (answer.kind === "switched") this.switched.set(name, this.times.next());
    if (answer.kind !== "committed" || answer.failure !== undefined) return;
    const { origin } = answer;
    if (origin?.kind !== "catch-up") return;
    this.lastState = Math.max(this.lastState, log?.stateOf(origin.digest) ?? 0);
    this.brought.set(name, this.hereOf(answer));
  }

  /** The state here of what a transfer has brought. Another one may have changed the same entries since. */
  hereOf({ inbound, isListed }: Extract<StageAnswer, { kind: "committed" }>): Here {
    const name = inboundName(inbound);
    const atMs = this.switched.get(name) ?? this.times.next();
    return { atMs, list: isListed === true ? name : "", reason: "" };
  }

  /** The state of what a transfer has brought that was committed; undefined if it was not. */
  take(key: InboundKey): Here | undefined {
    const here = this.brought.get(inboundName(key));
    this.brought.delete(inboundName(key));
    return here;
  }

  /** A transfer is over, and in the log if it has brought something. */
  end(key: InboundKey, isDone: boolean): void {
    const name = inboundName(key);
    this.origins.delete(name);
    if (!isDone) this.brought.delete(name);
    this.switched.delete(name);
    if (this.switched.size > 0) return;
    for (const decide of this.waiting.splice(0)) decide();
  }

  /** Whether a transfer is a push that goes into the log; others change the tree unseen. */
  isPush(key: InboundKey): boolean {
    return this.origins.get(inboundName(key))?.kind === "publication";
  }

  /**
   * Decides about a commit; at once, or when everything that has changed the tree is in the log.
   *
   * @param isKept whether the transfer was ready when this host stopped
   * @param own the other pushes of this host that run, by their numbers
   * @param ownAfter the numbers of those that come after this transfer
   */
  decide(
    key: InboundKey,
    log: PublicationLog | undefined,
    { isKept, own, ownAfter }: Beside,
    commit: (decision: CommitDecision) => void,
  ): void {
    if (isKept) {
      commit(own().length === 0 && this.switched.size === 0 ? GO_ON : VAIN);
      return;
    }
    const origin = this.origins.get(inboundName(key));
    if (origin === undefined || origin.kind === "publication") {
      commit(GO_ON);
      return;
    }
    const decide = () => {
      if (origin.kind === "catch-up") commit(this.decisionOn(origin.digest, log, own()));
      else commit(decisionOnUndo(key, origin, log, { own, ownAfter }));
    };
    if (this.switched.size === 0) decide();
    else this.waiting.push(decide);
  }

  private decisionOn(
    digest: string,
    log: PublicationLog | undefined,
    own: readonly OwnPush[],
  ): CommitDecision {
    const state = log?.stateOf(digest);
    if (log === undefined || state === undefined || state < this.lastState) return VAIN;
    const later = log.effectiveSince(state)?.map(({ here }) => here.list);
    // One that takes back a push changes this tree, too.
    const isUndoing = own.some(([, { publication }]) => publication.undoes !== undefined);
    if (later === undefined || later.includes("") || isUndoing) return VAIN;
    return { veto: undefined, later, own: own.map(([transfer]) => transfer) };
  }
}

/**
 * All hosts have agreed to an undo by the same log. If another publication of these paths has come before its switch, it would not
 * bring back what was there before: the hosts that have kept that see it in their files, and the others here.
 */
function decisionOnUndo(
  { epoch, transfer: number }: InboundKey,
  { announced }: Extract<Origin, { kind: "undo" }>,
  log: PublicationLog | undefined,
  { own, ownAfter }: Omit<Beside, "isKept">,
): CommitDecision {
  const obstacle = log === undefined ? undefined : obstacleTo(log, announced.undoes, { epoch, number });
  const isBeside = ([transfer, { publication }]: OwnPush) =>
    !ownAfter.includes(transfer) && overlap(publication.scope, announced.scope);
  return obstacle !== undefined || own().some(isBeside) ? CROSSED : GO_ON;
}
