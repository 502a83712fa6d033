/** The members of the fleet, and how a node becomes one: challenge and response. */
import { hexOf } from "../../base/hex.ts";
import { fraction, randomBytes, type Random } from "../../base/random.ts";
import { CANDIDATES, MEMBERS } from "../../wire/limits.ts";
import { type Challenge, NO_NONCE, type NodeInfo, type Response } from "../../wire/membership-messages.ts";
import type { ControlMessage } from "../../wire/message.ts";
import { type Address, type Effect, type Member, sameAddress } from "../types.ts";
import * as times from "./times.ts";

/** A node that was heard and has not answered a challenge yet. */
interface Candidate {
  readonly nodeId: string;
  readonly epoch: string;
  address: Address;
  readonly nonce: string;
  triesLeft: number;
  nextTryMs: number;
}

/**
 * The last bound on messages that wait to be taken. A node takes them after every input, and one input brings at most
 * a challenge for each candidate: four for each are never reached as long as that holds.
 */
const MOST_WAITING = 4 * CANDIDATES;

/** The sender of a message, as its header says. The seal proves it, but a recorded message may be sent again. */
export interface Peer {
  readonly nodeId: string;
  readonly epoch: string;
}

/**
 * Membership (PROTOCOL.md 4). Every node tells the group that it is alive. A node that hears of an unknown one
 * sends it a fresh nonce. It takes it as a member when the nonce has come back sealed under that node's own key of
 * this epoch: a recorded packet of an earlier epoch cannot do that. Both sides question each other in three
 * packets: CHALLENGE, RESPONSE that brings a nonce as well, RESPONSE.
 */
export class Membership {
  private readonly random: Random;
  private readonly info: NodeInfo;
  private readonly membersByEpoch = new Map<string, Member>();
  private readonly heardMs = new Map<string, number>();
  private readonly candidates = new Map<string, Candidate>();
  private readonly effects: Effect[] = [];
  private pendingHellosMs: number[] = [];
  private nextAliveMs = Infinity;
  private nextLookMs = Infinity;

  constructor(info: NodeInfo, random: Random) {
    this.info = info;
    this.random = random;
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
    return (this.heardMs.get(epoch) ?? -Infinity) >= sinceMs;
  }

  /** Questions members again, as if they were unknown: those that are alive answer, and have been heard then. */
  probe(epochs: readonly string[], nowMs: number): void {
    for (const epoch of epochs) {
      const member = this.membersByEpoch.get(epoch);
      if (member !== undefined) this.addCandidate({ nodeId: member.nodeId, epoch }, member.address, nowMs);
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
    for (let copy = 0; copy < 3; copy++) this.multicast({ type: "exit", body: null });
    this.pendingHellosMs = [];
    this.nextAliveMs = Infinity;
    this.nextLookMs = Infinity;
    this.candidates.clear();
  }

  /** A node joined the group again, after its interface changed: it introduces itself once more. */
  reintroduce(nowMs: number): void {
    this.pendingHellosMs = times.HELLO_AT_MS.map((delayMs) => nowMs + delayMs);
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
        this.candidates.delete(peer.epoch);
        break;
      case "challenge":
        this.answer(peer, source, message.body, nowMs);
        break;
      case "response":
        this.proven(peer, source, message.body, nowMs);
        break;
      default:
        this.noteAlive(peer.epoch, nowMs);
    }
  }

  tick(nowMs: number): void {
    while (this.pendingHellosMs[0] !== undefined && this.pendingHellosMs[0] <= nowMs) {
      this.pendingHellosMs.shift();
      this.multicast({ type: "hello", body: { info: this.info } });
    }
    if (nowMs >= this.nextAliveMs) {
      this.nextAliveMs = nowMs + this.aliveIntervalMs();
      this.multicast({ type: "alive", body: { info: this.info } });
    }
    if (nowMs >= this.nextLookMs) {
      this.nextLookMs = nowMs + times.LOOK_MS;
      for (const [epoch, heardMs] of this.heardMs) {
        if (nowMs - heardMs >= times.SILENCE_MS) this.remove(epoch, "silence");
      }
    }
    for (const candidate of this.candidates.values()) this.retry(candidate, nowMs);
  }

  poll(): Effect | undefined {
    return this.effects.shift();
  }

  nextDeadlineMs(): number {
    let earliest = Math.min(this.nextAliveMs, this.nextLookMs, this.pendingHellosMs[0] ?? Infinity);
    for (const candidate of this.candidates.values()) earliest = Math.min(earliest, candidate.nextTryMs);
    return earliest;
  }

  private aliveIntervalMs(): number {
    const jitter = (2 * fraction(this.random) - 1) * times.ALIVE_JITTER;
    return times.ALIVE_INTERVAL_MS * (1 + jitter);
  }

  private noteAlive(epoch: string, nowMs: number): void {
    if (this.membersByEpoch.has(epoch)) this.heardMs.set(epoch, nowMs);
  }

  private heard(peer: Peer, source: Address, info: NodeInfo, nowMs: number): void {
    const member = this.membersByEpoch.get(peer.epoch);
    if (member !== undefined && member.nodeId === peer.nodeId && sameAddress(member.address, source)) {
      this.heardMs.set(peer.epoch, nowMs);
      this.membersByEpoch.set(peer.epoch, { ...member, info });
      return;
    }
    this.addCandidate(peer, source, nowMs);
  }

  private addCandidate(peer: Peer, address: Address, nowMs: number): Candidate | undefined {
    const known = this.candidates.get(peer.epoch);
    if (known !== undefined) {
      known.address = address;
      return known;
    }
    if (this.candidates.size >= CANDIDATES || this.membersByEpoch.size >= MEMBERS) return undefined;
    const spreadMs =
      times.CHALLENGE_DELAY_MS + times.CHALLENGE_DELAY_PER_MEMBER_MS * this.membersByEpoch.size;
    const candidate: Candidate = {
      ...peer,
      address,
      nonce: hexOf(randomBytes(this.random, 16)),
      triesLeft: times.CHALLENGE_TRIES,
      nextTryMs: nowMs + fraction(this.random) * spreadMs,
    };
    this.candidates.set(peer.epoch, candidate);
    return candidate;
  }

  private retry(candidate: Candidate, nowMs: number): void {
    if (nowMs < candidate.nextTryMs) return;
    if (candidate.triesLeft === 0) {
      this.candidates.delete(candidate.epoch);
      return;
    }
    candidate.triesLeft--;
    candidate.nextTryMs = nowMs + times.CHALLENGE_RETRY_MS;
    const body: Challenge = { nonce: candidate.nonce, info: this.info };
    this.unicast(candidate.address, { type: "challenge", body });
  }

  private answer(peer: Peer, source: Address, challenge: Challenge, nowMs: number): void {
    const isKnown = this.membersByEpoch.has(peer.epoch);
    const candidate = isKnown ? undefined : this.addCandidate(peer, source, nowMs);
    // The response carries the nonce, so a challenge of its own is only needed if the response gets lost.
    if (candidate !== undefined) candidate.nextTryMs = nowMs + times.CHALLENGE_RETRY_MS;
    this.respond(source, challenge.nonce, candidate?.nonce ?? NO_NONCE);
  }

  private respond(address: Address, answer: string, nonce: string): void {
    const body: Response = { answer, nonce, info: this.info };
    this.unicast(address, { type: "response", body });
  }

  private proven(peer: Peer, source: Address, response: Response, nowMs: number): void {
    const candidate = this.candidates.get(peer.epoch);
    if (candidate?.nodeId === peer.nodeId && candidate.nonce === response.answer) {
      this.candidates.delete(peer.epoch);
      this.add({ ...peer, address: source, info: response.info, joinedMs: nowMs }, nowMs);
    }
    if (response.nonce !== NO_NONCE) this.respond(source, response.nonce, NO_NONCE);
  }

  private add(member: Member, nowMs: number): void {
    for (const other of this.membersByEpoch.values()) {
      if (other.nodeId === member.nodeId && other.epoch !== member.epoch) this.remove(other.epoch, "restart");
    }
    const isNew = !this.membersByEpoch.has(member.epoch);
    this.membersByEpoch.set(member.epoch, member);
    this.heardMs.set(member.epoch, nowMs);
    if (isNew) this.effects.push({ kind: "event", event: { kind: "member-joined", member } });
  }

  private remove(epoch: string, reason: "exit" | "silence" | "restart"): void {
    const member = this.membersByEpoch.get(epoch);
    if (member === undefined) return;
    this.membersByEpoch.delete(epoch);
    this.heardMs.delete(epoch);
    this.effects.push({ kind: "event", event: { kind: "member-left", member, reason } });
  }

  private multicast(message: ControlMessage): void {
    this.effects.push({ kind: "send", destination: { to: "group" }, message });
  }

  private unicast(address: Address, message: ControlMessage): void {
    if (this.effects.length > MOST_WAITING) return;
    this.effects.push({ kind: "send", destination: { to: "address", address }, message });
  }
}
