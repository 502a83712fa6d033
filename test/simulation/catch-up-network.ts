import { SeededRandom } from "../../src/base/random.ts";
import type { Effect } from "../../src/engine/types.ts";
import { type ControlMessage, decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { fellow, type SimulatedNode } from "./catch-up-versions.ts";

/**
 * The network of nodes that catch up: packets that are delayed, lost and cut off, and membership as far as logs depend on it. Nodes
 * hear of each other by ALIVE, and forget those that have been silent for a minute. So a network that was cut for a shorter time
 * shows nobody a new member when it is whole again.
 */

export abstract class CatchUpNetwork {
  protected readonly random: SeededRandom;
  protected readonly nodes: SimulatedNode[] = [];
  protected readonly packets: {
    atMs: number;
    from: SimulatedNode;
    to: SimulatedNode;
    epoch: string;
    /** Undefined for ALIVE. */
    bytes: Uint8Array | undefined;
  }[] = [];
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
  private hear(node: SimulatedNode, other: SimulatedNode): void {
    for (const [one, heard] of [
      [node, other],
      [other, node],
    ] as const) {
      const known = one.members.get(heard.epoch);
      if (known !== undefined) {
        if (one === node) known.heardMs = this.nowMs;
        continue;
      }
      for (const { node: same } of one.members.values()) if (same === heard) this.forget(one, heard);
      const member = { ...fellow(heard), joinedMs: this.nowMs };
      one.members.set(heard.epoch, { node: heard, member, heardMs: this.nowMs });
      one.catchUp.onEvent({ kind: "member-joined", member }, this.nowMs);
      this.carryOut(one);
    }
  }

  private forget(node: SimulatedNode, other: SimulatedNode): void {
    for (const [epoch, { node: known, member }] of node.members) {
      if (known !== other) continue;
      node.members.delete(epoch);
      node.catchUp.onEvent({ kind: "member-left", member, reason: "silence" }, this.nowMs);
      this.carryOut(node);
    }
  }

  /** What membership does at its times: ALIVE, and members that have been silent for too long leave. */
  private tickMembership(node: SimulatedNode): void {
    if (node.nextAliveMs <= this.nowMs) this.sayAlive(node);
    for (const { node: other, heardMs } of node.members.values())
      if (this.nowMs - heardMs >= 60_000) this.forget(node, other);
  }

  protected hears(a: SimulatedNode, b: SimulatedNode): boolean {
    return a.isUp && b.isUp && a.half === b.half;
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
          .map(({ catchUp, nextAliveMs }) => Math.min(nextAliveMs, catchUp.nextDeadlineMs())),
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
        if (!this.hears(from, to) || from.epoch !== epoch) continue;
        this.hear(to, from);
        const member = to.members.get(from.epoch)?.member;
        if (bytes === undefined || member === undefined) continue;
        to.catchUp.handle(member, decodeMessage(bytes), this.nowMs);
        this.carryOut(to);
      } else {
        for (const node of this.nodes) {
          if (!node.isUp) continue;
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

  private sendPacket(from: SimulatedNode, to: SimulatedNode, message: ControlMessage | undefined): void {
    if ((this.isLossy || !this.isCalm) && this.below(10) === 0) return;
    const { epoch } = from;
    const atMs = this.nowMs + 1 + this.below(40);
    // They are in their order, and those that come at the same time in the order in which they were sent.
    let [first, end] = [0, this.packets.length];
    while (first < end) {
      const middle = (first + end) >> 1;
      if (this.packets[middle]!.atMs > atMs) end = middle;
      else first = middle + 1;
    }
    this.packets.splice(first, 0, {
      atMs,
      from,
      to,
      epoch,
      bytes: message === undefined ? undefined : encodeMessage(message),
    });
  }

  protected below(bound: number): number {
    return this.random.u32() % bound;
  }
}
