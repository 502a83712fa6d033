import { SeededRandom } from "../../src/base/random.ts";
import type { Effect } from "../../src/engine/types.ts";
import { type ControlMessage, decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { fellow, type SimulatedNode } from "./catch-up-versions.ts";

/**
 * The network of nodes that catch up: packets that are delayed, lost and cut off, and membership as far as logs depend on it. Nodes
 * hear of each other by ALIVE, and forget those that have been silent for a minute. So a network that was cut for a shorter time
 * shows nobody a new member when it is whole again.
 */

interface Packet {
  readonly atMs: number;
  readonly from: SimulatedNode;
  readonly to: SimulatedNode;
  readonly epoch: string;
  /** Undefined for ALIVE. */
  readonly bytes: Uint8Array | undefined;
}

export abstract class CatchUpNetwork {
  protected readonly random: SeededRandom;
  protected readonly nodes: SimulatedNode[] = [];
  protected readonly packets: Packet[] = [];
  /** What happens at its time, besides packets. */
  protected readonly planned: { atMs: number; run: () => void }[] = [];
  protected nowMs = 0;
  protected isCalm = false;
  /** Whether packets get lost all the time: one of ten. */
  isLossy = false;
  /** Messages about logs, in datagrams. */
  messages = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  protected abstract carryOutEffect(node: SimulatedNode, effect: Effect): void;

  /** HELLO at the start, later ALIVE. */
  protected sayAlive(node: SimulatedNode): void {
    node.nextAliveMs = this.nowMs + 10_000 + this.below(10_000);
    for (const other of this.nodes) if (other !== node) this.sendPacket(node, other, undefined);
  }

  /** One has heard the other: those that do not know each other become members of each other. */
  protected hear(node: SimulatedNode, other: SimulatedNode, _isAlive: boolean): void {
    const known = node.members.get(other.epoch);
    if (known !== undefined) known.heardMs = this.nowMs;
    else this.join(node, other);
    if (!other.members.has(node.epoch)) this.join(other, node);
  }

  /** A node takes another one as its member. */
  protected join(node: SimulatedNode, other: SimulatedNode): void {
    for (const { node: same } of node.members.values()) if (same === other) this.forget(node, other);
    const member = { ...fellow(other), joinedMs: this.nowMs };
    node.members.set(other.epoch, { node: other, member, heardMs: this.nowMs });
    node.catchUp.onEvent({ kind: "member-joined", member }, this.nowMs);
    this.carryOut(node);
  }

  protected forget(node: SimulatedNode, other: SimulatedNode): void {
    for (const [epoch, { node: known, member }] of node.members) {
      if (known !== other) continue;
      node.members.delete(epoch);
      node.catchUp.onEvent({ kind: "member-left", member, reason: "silence" }, this.nowMs);
      this.carryOut(node);
    }
  }

  /** What membership does at its times: ALIVE, and members that have been silent for too long leave. */
  protected tickMembership(node: SimulatedNode): void {
    if (node.nextAliveMs <= this.nowMs) this.sayAlive(node);
    for (const { node: other, heardMs } of node.members.values())
      if (this.nowMs - heardMs >= 60_000) this.forget(node, other);
  }

  /** Whether what the first one sends reaches the second one. */
  protected hears(a: SimulatedNode, b: SimulatedNode): boolean {
    return a.isUp && b.isUp && a.half === b.half;
  }

  protected isPaused({ pausedUntilMs }: SimulatedNode): boolean {
    return pausedUntilMs > this.nowMs;
  }

  /** It says goodbye, or it is silent from now on. */
  protected leave(node: SimulatedNode): void {
    if (!this.isCalm && this.below(2) === 0) return;
    for (const other of this.nodes)
      if (other !== node && other.isUp && other.half === node.half) this.forget(other, node);
  }

  /** Lets the time pass, packet by packet and deadline by deadline. */
  protected pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const deadline = Math.min(
        ...this.nodes
          .filter(({ isUp }) => isUp)
          .map(({ catchUp, nextAliveMs, pausedUntilMs }) =>
            Math.max(pausedUntilMs, Math.min(nextAliveMs, catchUp.nextDeadlineMs())),
          ),
      );
      this.planned.sort((a, b) => a.atMs - b.atMs);
      const plannedMs = this.planned[0]?.atMs ?? Infinity;
      const soonestMs = Math.min(this.packets[0]?.atMs ?? Infinity, deadline, plannedMs);
      const nextMs = Math.max(this.nowMs, soonestMs);
      if (nextMs > endMs) break;
      this.nowMs = nextMs;
      if (plannedMs <= nextMs) {
        this.planned.shift()?.run();
        continue;
      }
      const packet = this.packets[0];
      if (packet !== undefined && packet.atMs <= nextMs) {
        this.packets.shift();
        const { from, to, epoch, bytes } = packet;
        if (this.isPaused(to)) {
          this.enqueue({ ...packet, atMs: to.pausedUntilMs + this.below(3) });
          continue;
        }
        if (!this.hears(from, to) || from.epoch !== epoch) continue;
        this.hear(to, from, bytes === undefined);
        if (to.members.has(from.epoch)) to.catchUp.tellings.noteContact(from.epoch, this.nowMs);
        const member = to.members.get(from.epoch)?.member;
        if (bytes === undefined || member === undefined) continue;
        to.catchUp.handle(member, decodeMessage(bytes), this.nowMs);
        this.carryOut(to);
      } else {
        for (const node of this.nodes) {
          if (!node.isUp || this.isPaused(node)) continue;
          this.tickMembership(node);
          if (node.catchUp.nextDeadlineMs() > this.nowMs) continue;
          node.catchUp.tick(this.nowMs);
          this.carryOut(node);
        }
      }
    }
    this.nowMs = endMs;
  }

  protected carryOut(node: SimulatedNode): void {
    for (let effect = node.effects.shift(); effect !== undefined; effect = node.effects.shift()) {
      if (effect.kind === "send") {
        const { destination, message } = effect;
        const to = this.nodes.filter(
          (other) =>
            other !== node &&
            (destination.to === "group" || destination.address.ip === `10.0.0.${other.number}`),
        );
        this.messages++;
        for (const other of to) this.sendPacket(node, other, message);
      } else this.carryOutEffect(node, effect);
    }
  }

  protected sendPacket(from: SimulatedNode, to: SimulatedNode, message: ControlMessage | undefined): void {
    if ((this.isLossy || !this.isCalm) && this.below(10) === 0) return;
    const { epoch } = from;
    const atMs = this.nowMs + 1 + this.below(40) + this.lateMs();
    const bytes = message === undefined ? undefined : encodeMessage(message);
    this.enqueue({ atMs, from, to, epoch, bytes });
  }

  /** How much later than others a packet arrives. */
  protected lateMs(): number {
    return 0;
  }

  /** They are in their order, and those that come at the same time in the order in which they were sent. */
  private enqueue(packet: Packet): void {
    let [first, end] = [0, this.packets.length];
    while (first < end) {
      const middle = (first + end) >> 1;
      if (this.packets[middle]!.atMs > packet.atMs) end = middle;
      else first = middle + 1;
    }
    this.packets.splice(first, 0, packet);
  }

  protected below(bound: number): number {
    return this.random.u32() % bound;
  }
}
