/** The members of the fleet, and how a node becomes one: challenge and response. */
import { fraction, type Random } from "../../base/random.ts";
import { MEMBERS } from "../../wire/limits.ts";
import {
  type Challenge,
  NO_NONCE,
  type NodeInfo,
  type OldChallenge,
  type OldResponse,
  type Response,
  type Route,
} from "../../wire/membership-messages.ts";
import type { ControlMessage } from "../../wire/message.ts";
import { type Address, type Effect, type LeaveReason, type Member, sameAddress } from "../types.ts";
import { type Candidate, Candidates, isRouted } from "./candidates.ts";
import { Copies } from "./copies.ts";
import { Outbox } from "./outbox.ts";
import { type Heard, type Peer, type Self, withKnownKeys } from "./peers.ts";
import { Problems } from "./problems.ts";
import * as times from "./times.ts";

/**
 * Membership (PROTOCOL.md 4). Every node tells the group that it is alive. A node that hears of an unknown one
 * sends it a fresh nonce. It takes it as a member when the nonce has come back sealed under that node's own key of
 * this epoch: a recorded packet of an earlier epoch cannot do that. Both sides question each other in three
 * packets: CHALLENGE, RESPONSE that brings a nonce as well, RESPONSE.
 *
 * Both name the address that their sender sends from, so a stranger who passes them on is not taken for their sender. Nodes
 * of version 2 are asked and answered in their form, which has no address. A node of version 3 never uses that form with
 * another one of version 3: each says which version it speaks, under its seal.
 */
export class Membership {
  /** What is in the way of nodes that are heard. */
  readonly problems: Problems;
  private readonly self: Self;
  private address: Address;
  private readonly random: Random;
  private info: NodeInfo;
  private selfNodeId: string;
  private readonly copies = new Copies();
  private readonly membersByEpoch = new Map<string, Member>();
  private readonly heardByEpoch = new Map<string, Heard>();
  private readonly candidates: Candidates;
  private readonly outbox = new Outbox();
  /** The members that were lost with the interface of this node, until it is back. */
  readonly lost: Member[] = [];
  private pendingHellosMs: number[] = [];
  private nextAliveMs = Infinity;
  private nextLookMs = Infinity;

  constructor(self: Self, info: NodeInfo, random: Random) {
    this.self = self;
    this.selfNodeId = self.nodeId;
    this.address = self.address;
    this.problems = new Problems((event) => this.outbox.tell(event));
    this.info = info;
    this.random = random;
    this.candidates = new Candidates(random);
  }

  /** All members, in no order. */
  get members(): Iterable<Member> {
    return this.membersByEpoch.values();
  }

  get size(): number {
    return this.membersByEpoch.size;
  }

  memberOf(epoch: string): Member | undefined {
    return this.membersByEpoch.get(epoch);
  }

  /** Whether something was heard of a member at that time or later. */
  isHeardSince(epoch: string, sinceMs: number): boolean {
    return (this.heardByEpoch.get(epoch)?.anyMs ?? -Infinity) >= sinceMs;
  }

  /** Questions members again, as if they were unknown: those that are alive answer, and have been heard then. */
  probe(epochs: readonly string[], nowMs: number): void {
    for (const epoch of epochs) {
      const member = this.membersByEpoch.get(epoch);
      if (member !== undefined) this.addCandidate(member, member.address, member.info, nowMs);
    }
  }

  /** Begins to tell the group of this node. */
  start(nowMs: number): void {
    this.pendingHellosMs = times.HELLO_AT_MS.map((delayMs) => nowMs + delayMs);
    this.nextAliveMs = nowMs + this.aliveIntervalMs();
    this.nextLookMs = nowMs + times.LOOK_MS;
  }

  /** Says goodbye, so that the others know at once; several times, because a datagram may be lost. */
  stop(): void {
    for (let copy = 0; copy < 3; copy++) this.outbox.multicast({ type: "exit", body: null });
    this.pendingHellosMs = [];
    this.nextAliveMs = Infinity;
    this.nextLookMs = Infinity;
    this.candidates.clear();
  }

  /** This node is about to accept other keys: the members are told, several times, because a datagram may be lost. */
  changeKeys(keys: NodeInfo["keys"]): void {
    this.info = { ...this.info, keys };
    for (let copy = 0; copy < 3; copy++) this.tellKeys();
  }

  /**
   * A node joined the group again, after its interface changed: it introduces itself once more.
   *
   * @param address the one that it sends from now
   */
  reintroduce(address: Address, nowMs: number): void {
    this.address = address;
    this.pendingHellosMs = times.HELLO_AT_MS.map((delayMs) => nowMs + delayMs);
    // The others may not have missed this node, and would not introduce themselves before their next ALIVE.
    for (const member of this.lost.splice(0)) {
      if (this.candidates.isFull) break;
      this.candidates.ask({ ...member, isMissed: false, isDoubtful: true }, this.candidates.size, nowMs);
    }
  }

  /** This node has another id from now on: it introduces itself under that. */
  rename(nodeId: string, nowMs: number): void {
    this.selfNodeId = nodeId;
    this.reintroduce(this.address, nowMs);
  }

  /** Something that this node tells of itself has changed: it says so at once. */
  describe(changes: Partial<Pick<NodeInfo, "datagramBytes" | "labels">>, nowMs: number): void {
    this.info = { ...this.info, ...changes };
    this.reintroduce(this.address, nowMs);
  }

  /** This node has lost its interface: nobody is a member any more. */
  cutOff(): void {
    this.candidates.clear();
    this.lost.push(...this.membersByEpoch.values());
    for (const epoch of [...this.membersByEpoch.keys()]) this.remove(epoch, "cut-off");
  }

  /** A node has said something: any message of a known member is a sign of life. */
  handle(peer: Peer, source: Address, message: ControlMessage, nowMs: number): void {
    switch (message.type) {
      case "hello":
      case "alive":
        this.heard(peer, source, message.body.info, nowMs);
        break;
      case "exit":
        this.remove(peer.epoch, "exit");
        this.candidates.forget(peer.epoch);
        this.problems.end("unanswered", source.ip);
        break;
      case "challenge":
        if (!this.isDirect(peer, source, message.body, nowMs)) break;
        this.noteMissed(peer, source, message.body, nowMs);
        this.answer(peer, source, message.body, nowMs);
        break;
      case "response":
        if (this.isDirect(peer, source, message.body, nowMs)) this.proven(peer, source, message.body, nowMs);
        break;
      case "old-challenge":
        if (!isRouted(message.body.info)) this.answer(peer, source, message.body, nowMs);
        break;
      case "old-response":
        if (!isRouted(message.body.info)) this.proven(peer, source, message.body, nowMs);
        break;
      case "keys":
        this.noteKeys(peer, source, message.body.keys);
        break;
      default:
        this.noteAlive(peer.epoch, nowMs);
    }
  }

  tick(nowMs: number): void {
    while (this.pendingHellosMs[0] !== undefined && this.pendingHellosMs[0] <= nowMs) {
      this.pendingHellosMs.shift();
      this.greet("hello");
    }
    if (nowMs >= this.nextAliveMs) {
      this.nextAliveMs = nowMs + this.aliveIntervalMs();
      this.greet("alive");
    }
    if (nowMs >= this.nextLookMs) {
      this.nextLookMs = nowMs + times.LOOK_MS;
      this.lookForSilent(nowMs);
      this.problems.expire(nowMs);
    }
    for (const candidate of this.candidates.all) this.retry(candidate, nowMs);
  }

  poll(): Effect | undefined {
    return this.outbox.poll();
  }

  nextDeadlineMs(): number {
    const earliest = Math.min(this.nextAliveMs, this.nextLookMs, this.pendingHellosMs[0] ?? Infinity);
    return Math.min(earliest, this.candidates.nextDeadlineMs());
  }

  private greet(type: "hello" | "alive"): void {
    this.outbox.multicast({ type, body: { info: this.info } });
    this.tellKeys();
  }

  /** A message of its own, because nodes of version 2 allow nothing after the last field of node info. */
  private tellKeys(): void {
    const { keys = [] } = this.info;
    if (keys.length > 0) this.outbox.multicast({ type: "keys", body: { keys } });
  }

  private noteKeys(peer: Peer, source: Address, keys: readonly string[]): void {
    const member = this.membersByEpoch.get(peer.epoch);
    if (member?.nodeId !== peer.nodeId || !sameAddress(member.address, source)) return;
    this.membersByEpoch.set(peer.epoch, { ...member, info: { ...member.info, keys } });
  }

  private aliveIntervalMs(): number {
    const jitter = (2 * fraction(this.random) - 1) * times.ALIVE_JITTER;
    return times.ALIVE_INTERVAL_MS * (1 + jitter);
  }

  private noteAlive(epoch: string, nowMs: number): void {
    const heard = this.heardByEpoch.get(epoch);
    if (heard !== undefined) heard.anyMs = nowMs;
  }

  /**
   * Removes members that are silent, and asks those whose HELLO and ALIVE do not arrive: one that answers stays a member,
   * because single packets reach it.
   */
  private lookForSilent(nowMs: number): void {
    for (const [epoch, heard] of this.heardByEpoch) {
      if (nowMs - heard.anyMs >= times.SILENCE_MS) this.remove(epoch, "silence");
      if (nowMs - heard.groupMs < times.ASK_MS) continue;
      heard.groupMs = nowMs;
      const member = this.membersByEpoch.get(epoch);
      if (member !== undefined) this.addCandidate(member, member.address, member.info, nowMs, true);
    }
  }

  /** Whether a message comes from the address that its sender sends from, and is for this node. */
  private isDirect(
    { nodeId }: Peer,
    source: Address,
    { to, from, info }: Route & { info: NodeInfo },
    nowMs: number,
  ): boolean {
    if (to !== this.self.epoch) return false;
    if (sameAddress(from, source)) return true;
    const { ip } = source;
    const found = { kind: "elsewhere", ip, isProven: true, nodeId, info, claimedIp: from.ip } as const;
    this.problems.note(found, nowMs);
    return false;
  }

  /** A member says whether it gets what this node sends to the group. One that asks from its known address is alive. */
  private noteMissed(peer: Peer, source: Address, { isMissed, info }: Challenge, nowMs: number): void {
    if (isMissed) this.problems.note({ kind: "unheard", ip: source.ip, isProven: true, info }, nowMs);
    const member = this.membersByEpoch.get(peer.epoch);
    if (member !== undefined && sameAddress(member.address, source)) this.noteAlive(peer.epoch, nowMs);
  }

  private heard(peer: Peer, source: Address, info: NodeInfo, nowMs: number): void {
    const member = this.membersByEpoch.get(peer.epoch);
    if (member !== undefined && member.nodeId === peer.nodeId && sameAddress(member.address, source)) {
      this.heardByEpoch.set(peer.epoch, { anyMs: nowMs, groupMs: nowMs });
      this.membersByEpoch.set(peer.epoch, { ...member, info: withKnownKeys(info, member.info) });
      this.problems.end("mute", source.ip);
      if (this.candidates.of(peer.epoch)?.isMissed === true) this.candidates.forget(peer.epoch);
      return;
    }
    this.addCandidate(peer, source, info, nowMs);
  }

  private addCandidate(
    peer: Peer,
    address: Address,
    info: NodeInfo,
    nowMs: number,
    isMissed = false,
  ): Candidate | undefined {
    const known = this.candidates.of(peer.epoch);
    // One with another node id has drawn that since: the former nonce would never be answered under the former id.
    if (known?.nodeId === peer.nodeId) {
      known.address = address;
      known.info = info;
      return known;
    }
    if (this.candidates.isFull || this.membersByEpoch.size >= MEMBERS) return undefined;
    const { nodeId, epoch } = peer;
    const about = { nodeId, epoch, address, info, isMissed, isDoubtful: false };
    return this.candidates.ask(about, this.membersByEpoch.size, nowMs);
  }

  private retry(candidate: Candidate, nowMs: number): void {
    if (nowMs < candidate.nextTryMs) return;
    if (candidate.triesLeft === 0) {
      this.candidates.forget(candidate.epoch);
      if (candidate.isDoubtful) this.remove(candidate.epoch, "restart");
      else this.noteUnanswered(candidate, nowMs);
      return;
    }
    candidate.triesLeft--;
    candidate.nextTryMs = nowMs + times.CHALLENGE_RETRY_MS;
    const { address, epoch, nonce, isMissed } = candidate;
    const { info } = this;
    const message: ControlMessage = isRouted(candidate.info)
      ? { type: "challenge", body: { nonce, ...this.routeTo(epoch), isMissed, info } }
      : { type: "old-challenge", body: { nonce, info } };
    this.outbox.unicast(address, message);
  }

  /** A recorded HELLO of an earlier epoch gets no answer either. It is no problem if its node is a member now. */
  private noteUnanswered({ nodeId, address, info }: Candidate, nowMs: number): void {
    for (const member of this.membersByEpoch.values()) if (member.nodeId === nodeId) return;
    this.problems.note({ kind: "unanswered", ip: address.ip, isProven: true, nodeId, info }, nowMs);
  }

  private routeTo(epoch: string): Route {
    return { to: epoch, from: this.address };
  }

  private answer(peer: Peer, source: Address, { nonce, info }: OldChallenge, nowMs: number): void {
    const isKnown = this.membersByEpoch.has(peer.epoch);
    const candidate = isKnown ? undefined : this.addCandidate(peer, source, info, nowMs);
    // The response carries the nonce, so a challenge of its own is only needed if the response gets lost.
    if (candidate !== undefined) candidate.nextTryMs = nowMs + times.CHALLENGE_RETRY_MS;
    this.respond(peer, source, info, nonce, candidate?.nonce ?? NO_NONCE);
  }

  /** @param to what the other node says of itself: the version that it speaks decides over the form */
  private respond(peer: Peer, address: Address, to: NodeInfo, answer: string, nonce: string): void {
    const { info } = this;
    const message: ControlMessage = isRouted(to)
      ? { type: "response", body: { answer, nonce, ...this.routeTo(peer.epoch), info } }
      : { type: "old-response", body: { answer, nonce, info } };
    this.outbox.unicast(address, message);
  }

  private proven(peer: Peer, source: Address, response: OldResponse | Response, nowMs: number): void {
    const { answer, nonce, info } = response;
    const candidate = this.candidates.of(peer.epoch);
    if (candidate?.nodeId === peer.nodeId && candidate.nonce === answer) {
      this.candidates.forget(peer.epoch);
      const { joinedMs = nowMs, info: known } = this.memberOf(peer.epoch) ?? {};
      const member = { ...peer, address: source, info: withKnownKeys(info, known), joinedMs };
      if (candidate.isMissed)
        this.problems.note({ kind: "mute", ip: source.ip, isProven: true, info }, nowMs);
      if (candidate.isDoubtful) this.outbox.tell(...this.copies.noteAlive(member, this.members));
      this.add(member, nowMs);
    }
    if (nonce !== NO_NONCE) this.respond(peer, source, info, nonce, NO_NONCE);
  }

  private add(member: Member, nowMs: number): void {
    const former = this.membersByEpoch.get(member.epoch);
    if (former?.nodeId !== member.nodeId) this.copies.forget(member.epoch);
    this.problems.endAtMember(member.address.ip);
    for (const other of this.membersByEpoch.values()) {
      if (other.nodeId === member.nodeId && other.epoch !== member.epoch) this.compare(other, member, nowMs);
    }
    const { groupMs = nowMs } = this.heardByEpoch.get(member.epoch) ?? {};
    this.membersByEpoch.set(member.epoch, member);
    this.heardByEpoch.set(member.epoch, { anyMs: nowMs, groupMs });
    if (former === undefined) this.outbox.tell({ kind: "member-joined", member });
    if (member.nodeId === this.selfNodeId && former?.nodeId !== member.nodeId) {
      // Both nodes see both epochs, so exactly one of them draws.
      this.outbox.tell({ kind: "own-copy", member, drawsId: this.self.epoch < member.epoch });
    }
  }

  /** A member has the node id of one that has just proven to be alive. */
  private compare(former: Member, latter: Member, nowMs: number): void {
    const judgement = this.copies.judge(former, latter);
    if (judgement === "restarted") this.remove(former.epoch, "restart");
    if (judgement !== "doubtful") return;
    const asked = this.candidates.of(former.epoch);
    if (asked !== undefined) asked.isDoubtful = true;
    else this.candidates.ask({ ...former, isMissed: false, isDoubtful: true }, 0, nowMs);
  }

  private remove(epoch: string, reason: LeaveReason): void {
    const member = this.membersByEpoch.get(epoch);
    if (member === undefined) return;
    this.membersByEpoch.delete(epoch);
    this.heardByEpoch.delete(epoch);
    this.copies.forget(epoch);
    this.problems.end("mute", member.address.ip);
    this.problems.end("unheard", member.address.ip);
    this.outbox.tell({ kind: "member-left", member, reason });
  }
}
