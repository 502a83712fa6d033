/** How long those who ask are gathered, so that one transfer serves all hosts that come up together. */
import { Deadline } from "../../base/deadline.ts";
import type { Log } from "../../wire/catch-up-messages.ts";
import { MEMBERS } from "../../wire/limits.ts";
import type { Member } from "../types.ts";
import { isAbleToCompare } from "./able-members.ts";
import type { CatchUpContext } from "./context.ts";
import * as times from "./times.ts";

/**
 * A host that comes alone is served soon. Others are waited for where they are likely to come: members that have joined lately and have
 * neither said yet that they lack nothing nor asked another member, nodes that left together with one that asks, and further ones
 * where several have come.
 */
export class Gathering {
  private readonly context: CatchUpContext;
  private readonly due = new Deadline();
  /** When the first of those has asked who are gathered. */
  private firstMs = 0;
  private lastMs = 0;
  /** Whether those who have asked are not to wait for others. */
  private isClosed = false;
  /** Members that have asked since they joined, and when, by their epochs. */
  private readonly askedMs = new Map<string, number>();
  /** Members that were seen to lack nothing, or have asked, by their epochs: they are not waited for. */
  private readonly settled = new Set<string>();
  /** Since when members could ask this node: they are behind, and both logs are the same. By their epochs. */
  private readonly ableMs = new Map<string, number>();
  /** When the first member joined, soon after the start of this node. */
  private startedMs = -Infinity;
  /** When nodes have left that are not back, by their ids. */
  private readonly leftMs = new Map<string, number>();
  /** When nodes had left that are back, by their ids. */
  private readonly backMs = new Map<string, number>();

  constructor(context: CatchUpContext) {
    this.context = context;
  }

  get atMs(): number {
    return this.due.atMs;
  }

  /** Until when a transfer is waited for that is received. */
  get receivingMs(): number {
    return this.firstMs + times.GATHER_MOST_MS;
  }

  /** A member asks; the first one of those who are gathered now, or a further one. */
  asked({ epoch }: Member, isFirst: boolean, nowMs: number): void {
    if (isFirst) {
      this.firstMs = nowMs;
      this.isClosed = false;
    }
    this.lastMs = nowMs;
    this.askedMs.set(epoch, nowMs);
    this.settled.add(epoch);
    this.look(nowMs);
  }

  /** Those who have asked are served now, if nothing else is in the way. */
  close(nowMs: number): void {
    this.isClosed = true;
    this.due.set(nowMs);
  }

  /** A member tells of its log. */
  heard(epoch: string, { digest, behind }: Log, nowMs: number): void {
    if (digest !== this.context.log.digest) this.ableMs.delete(epoch);
    else if (behind === 0) this.settled.add(epoch);
    else if (!this.ableMs.has(epoch)) this.ableMs.set(epoch, nowMs);
  }

  /** The log of this node is another one: members that have it already can ask from now on. */
  logChanged(nowMs: number): void {
    this.ableMs.clear();
    for (const { epoch } of this.context.members()) {
      const told = this.context.tellings.heard(epoch);
      if (told !== undefined) this.heard(epoch, told, nowMs);
    }
  }

  memberJoined({ nodeId }: Member, nowMs: number): void {
    if (this.startedMs === -Infinity) this.startedMs = nowMs;
    const leftMs = this.leftMs.get(nodeId);
    if (leftMs === undefined) return;
    this.leftMs.delete(nodeId);
    this.backMs.set(nodeId, leftMs);
  }

  memberLeft({ nodeId, epoch }: Member, nowMs: number): void {
    this.askedMs.delete(epoch);
    this.settled.delete(epoch);
    this.ableMs.delete(epoch);
    this.backMs.delete(nodeId);
    this.leftMs.delete(nodeId);
    this.leftMs.set(nodeId, nowMs);
    for (const oldest of this.leftMs.keys()) {
      if (this.leftMs.size <= MEMBERS) break;
      this.leftMs.delete(oldest);
    }
  }

  /** Something is in the way of serving them now. */
  putOff(nowMs: number): void {
    this.due.set(Math.min(Math.max(nowMs, this.receivingMs), nowMs + times.GATHER_MS));
  }

  /** Looks whether all have come; at once, or in a while. */
  look(nowMs: number): void {
    // Others may say meanwhile that they lack nothing.
    this.due.set(Math.max(nowMs, Math.min(this.endMs(nowMs), nowMs + times.GATHER_MS)));
  }

  /** Whether those who have asked are all that are waited for. */
  tick(nowMs: number): boolean {
    if (!this.due.take(nowMs)) return false;
    if (this.endMs(nowMs) <= nowMs) return true;
    this.look(nowMs);
    return false;
  }

  private endMs(nowMs: number): number {
    if (this.isClosed) return nowMs;
    const mostMs = this.firstMs + times.TOGETHER_MOST_MS;
    if (this.hasComing(nowMs)) return mostMs;
    const furtherMs = this.furtherMs(nowMs);
    if (furtherMs > 0) return Math.min(mostMs, this.lastMs + furtherMs);
    return Math.min(this.receivingMs, this.lastMs + times.GATHER_MS);
  }

  /** Whether a member has joined lately that may be about to ask. */
  private hasComing(nowMs: number): boolean {
    const { members, tellings } = this.context;
    for (const member of members()) {
      const sinceMs = nowMs - member.joinedMs;
      if (sinceMs > times.NEWCOMER_MS || this.settled.has(member.epoch) || !isAbleToCompare(member)) continue;
      // It has asked another member.
      if (nowMs - (this.ableMs.get(member.epoch) ?? nowMs) > times.ELSEWHERE_MS) continue;
      const told = tellings.heard(member.epoch);
      // One that keeps no log never tells.
      if (told?.catchesUp ?? sinceMs < times.FIRST_LOG_MS) return true;
    }
    return false;
  }

  /** How long hosts are waited for that are not there yet; 0 if none is likely to come. */
  private furtherMs(nowMs: number): number {
    const { memberOf } = this.context;
    const isStarting = nowMs - this.startedMs < times.STARTING_MS;
    const lately: number[] = [];
    for (const [epoch, askedMs] of this.askedMs) {
      const member = memberOf(epoch);
      if (nowMs - askedMs > times.TOGETHER_FOR_MS || member === undefined) continue;
      if (nowMs - member.joinedMs > times.NEWCOMER_MS) continue;
      const backMs = this.backMs.get(member.nodeId);
      // This node does not know who was here before it started.
      if (this.hasAbsent(backMs, nowMs) || (isStarting && backMs === undefined)) return times.TOGETHER_MS;
      // Of those that were here before, it is known whether all are back.
      if (backMs === undefined) lately.push(askedMs);
    }
    if (lately.length < 2) return 0;
    const betweenMs = (Math.max(...lately) - Math.min(...lately)) / (lately.length - 1);
    if (betweenMs > times.TOGETHER_MS) return 0;
    return Math.min(times.TOGETHER_MS, Math.max(2 * times.GATHER_MS, 4 * betweenMs));
  }

  /** Whether nothing is heard of a member, or nodes have left together with one that is back. */
  private hasAbsent(backMs: number | undefined, nowMs: number): boolean {
    const { members, isHeardSince } = this.context;
    for (const { epoch } of members()) if (!isHeardSince(epoch, nowMs - times.SILENT_MS)) return true;
    if (backMs === undefined) return false;
    for (const leftMs of this.leftMs.values())
      if (Math.abs(leftMs - backMs) < times.LEFT_TOGETHER_MS) return true;
    return false;
  }
}
