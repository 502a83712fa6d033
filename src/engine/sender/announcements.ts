/** The messages of a sender to the group and to single members. */
import { sentence } from "../../base/reason.ts";
import { TARGETS_PER_MESSAGE } from "../../wire/limits.ts";
import type { ControlMessage } from "../../wire/message.ts";
import { MemberPhase } from "../../wire/status-message.ts";
import { spreadMs as spreadOf } from "../spread.ts";
import type { Destination, Effect, Member } from "../types.ts";
import type { Barrier } from "./barrier.ts";
import type { FlowControl } from "./flow-control.ts";
import type { Ordering } from "./ordering.ts";
import type { OutgoingBlocks } from "./outgoing-blocks.ts";
import type { Production } from "./production.ts";
import type { RankedRequest } from "./ranked-request.ts";
import type { WantCollector } from "./wants.ts";

/** The parts of a transfer that its messages tell of. */
export interface AnnouncedParts {
  readonly request: RankedRequest;
  readonly barrier: Barrier;
  readonly blocks: OutgoingBlocks;
  readonly wants: WantCollector;
  readonly production: Production;
  readonly ordering: Ordering;
}

/** The version of the protocol that brought ranks and admissions (PROTOCOL.md 5.10). */
const RANKED_PROTOCOL = 3;

/** How often the end of a transfer is said to the group: nobody answers it, and a datagram may be lost. */
const ABORT_COPIES = 3;

/**
 * The messages of a sender (PROTOCOL.md 5). Each tells how things are when it is made. Where members are to be
 * named, there are as many messages as it takes to name all of them.
 */
export class Announcements {
  private readonly effects: Effect[];
  private readonly flow: FlowControl;
  private readonly parts: AnnouncedParts;
  private readonly transfer: number;

  /** @param effects where messages are put */
  constructor(effects: Effect[], flow: FlowControl, parts: AnnouncedParts) {
    this.effects = effects;
    this.flow = flow;
    this.parts = parts;
    this.transfer = parts.request.transfer;
  }

  /** OFFER for the members that have not answered it. */
  offer(): void {
    const { dryRun, allOrNothing, rank } = this.parts.request;
    const { transfer } = this;
    const unanswered = this.parts.barrier.unanswered();
    const terms = { transfer, dryRun, allOrNothing };
    const offer = (members: readonly Member[], known: number) => {
      for (const targets of pieces(members.map(({ epoch }) => epoch)))
        this.toGroup({ type: "offer", body: { ...terms, rank: known, targets } });
    };
    offer(unanswered.filter(knowsRanks), rank);
    // They take an OFFER with a rank for a damaged one.
    offer(
      unanswered.filter((member) => !knowsRanks(member)),
      0,
    );
  }

  /** PROGRESS for everybody: how far the transfer is. */
  tellProgress(): void {
    this.toGroup(this.progress(false, this.spreadMs));
  }

  /** PROGRESS that asks everybody for a STATUS. */
  poll(): void {
    this.toGroup(this.progress(true, this.spreadMs));
  }

  /** PROGRESS that asks one member, which answers at once. */
  pollOne(member: Member): void {
    this.toMember(member, this.progress(true, 0));
  }

  /** ORDER for the members that do not have the place that the transfer will have. */
  order(): void {
    const { order, behind } = this.parts.ordering;
    for (const targets of pieces(behind))
      this.toGroup({ type: "order", body: { transfer: this.transfer, order, targets } });
  }

  /** COMMIT for the members that have not said DONE. */
  commit(): void {
    const { order } = this.parts.ordering;
    for (const targets of pieces(this.parts.barrier.below(MemberPhase.done)))
      this.toGroup({ type: "commit", body: { transfer: this.transfer, order, targets } });
  }

  /** INQUIRY: asks a member for its findings from one on. */
  inquire(member: Member, first: number): void {
    this.toMember(member, { type: "inquiry", body: { transfer: this.transfer, first } });
  }

  /** YIELD: a member gives the place of this transfer to one that comes before, and lets this one wait. */
  yieldPlace(member: Member, admission: number): void {
    const { transfer } = this;
    this.toMember(member, { type: "yield", body: { transfer, target: member.epoch, admission } });
  }

  /** ABORT for everybody, as the end of a dry run. */
  endDryRun(): void {
    this.toGroup(this.abort(sentence("dry-run-over"), []));
  }

  /** ABORT for everybody: the transfer is given up. */
  giveUp(reason: string): void {
    const message = this.abort(reason, []);
    for (let copy = 0; copy < ABORT_COPIES; copy++) this.toGroup(message);
  }

  /** ABORT for one member, which has left the transfer. */
  leaveOut(member: Member): void {
    this.toMember(member, this.abort(sentence("sender-goes-on"), [member.epoch]));
  }

  private get spreadMs(): number {
    return spreadOf(this.parts.barrier.size);
  }

  private progress(poll: boolean, spreadMs: number): ControlMessage {
    const { blocks, wants, production } = this.parts;
    const body = {
      transfer: this.transfer,
      sentBlocks: blocks.sent,
      stamp: blocks.stamp,
      settledBelow: wants.settledBelow(blocks.produced),
      final: production.isFinal,
      poll,
      spreadMs,
    };
    return { type: "progress", body };
  }

  private abort(reason: string, targets: readonly string[]): ControlMessage {
    return { type: "abort", body: { transfer: this.transfer, targets, reason } };
  }

  private toGroup(message: ControlMessage): void {
    this.send({ to: "group" }, message);
  }

  private toMember({ address }: Member, message: ControlMessage): void {
    this.send({ to: "address", address }, message);
  }

  private send(destination: Destination, message: ControlMessage): void {
    this.flow.noteAnnounced();
    this.effects.push({ kind: "send", destination, message });
  }
}

/** Whether a member speaks a version of the protocol in which transfers have ranks. */
function knowsRanks({ info }: Member): boolean {
  return info.protocol >= RANKED_PROTOCOL;
}

function pieces(epochs: readonly string[]): string[][] {
  const found: string[][] = [];
  for (let start = 0; start < epochs.length; start += TARGETS_PER_MESSAGE) {
    found.push(epochs.slice(start, start + TARGETS_PER_MESSAGE));
  }
  return found;
}
