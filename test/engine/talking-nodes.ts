import assert from "node:assert/strict";
import { SeededRandom } from "../../src/base/random.ts";
import { Membership } from "../../src/engine/membership/membership.ts";
import type { Peer } from "../../src/engine/membership/peers.ts";
import type { Address, Effect } from "../../src/engine/types.ts";
import { OLDEST_PROTOCOL, PROTOCOL_VERSION } from "../../src/wire/limits.ts";
import type { ControlMessage } from "../../src/wire/message.ts";

/** Nodes that know membership alone, and a wire that can be listened to and cut. */

export class Node {
  peer: Peer;
  /** The version of the protocol that it speaks. */
  readonly protocol: number;
  readonly address: Address;
  readonly membership: Membership;
  readonly events: string[] = [];
  /** The node id that it takes when it is to draw one; undefined if the test does that. */
  nextId: string | undefined;
  private draws = false;
  /** The problems that have begun and ended. */
  readonly problems: string[] = [];

  constructor(name: string, epoch: number, ip: string, protocol = PROTOCOL_VERSION, nowMs = 0) {
    this.peer = { nodeId: name.padEnd(32, "0"), epoch: epoch.toString(16).padStart(16, "0") };
    this.protocol = protocol;
    this.address = { ip, port: 5000 };
    const info = { hostName: name, version: "1", protocol, receives: true, sends: true, labels: [] };
    this.membership = new Membership({ ...this.peer, address: this.address }, info, new SeededRandom(epoch));
    this.membership.start(nowMs);
  }

  /** A message arrives. A node of version 2 cannot tell which version another one speaks. */
  hear(from: Peer, source: Address, message: ControlMessage, nowMs: number): void {
    const isOld = this.protocol === OLDEST_PROTOCOL;
    assert.ok(
      !isOld || (message.type !== "challenge" && message.type !== "response"),
      "no node of 2 knows it",
    );
    const heard = isOld ? withoutMark(message) : message;
    this.membership.handle(from, source, asOnWire(heard), nowMs);
  }

  /** What it wants sent, and what it has noticed. */
  take(): Extract<Effect, { kind: "send" }>[] {
    const sends: Extract<Effect, { kind: "send" }>[] = [];
    for (let effect = this.membership.poll(); effect !== undefined; effect = this.membership.poll()) {
      if (effect.kind === "send") sends.push(effect);
      if (effect.kind === "event" && effect.event.kind === "member-joined") {
        this.events.push(`joined ${effect.event.member.address.ip}`);
      }
      if (effect.kind === "event" && effect.event.kind === "member-left")
        this.events.push(effect.event.reason);
      if (effect.kind === "event" && effect.event.kind === "copies") this.events.push("copies");
      if (effect.kind === "event" && effect.event.kind === "own-copy") {
        this.events.push(`own copy: ${effect.event.drawsId ? "draw" : "the other draws"}`);
        this.draws ||= effect.event.drawsId;
      }
      if (effect.kind === "event" && effect.event.kind === "problem-began")
        this.problems.push(`${effect.event.problem.kind} ${effect.event.problem.ip}`);
      if (effect.kind === "event" && effect.event.kind === "problem-ended")
        this.problems.push(`over: ${effect.event.problem.kind} ${effect.event.problem.ip}`);
    }
    return sends;
  }

  /** Takes the other node id if it is to draw one. */
  drawIfDue(nowMs: number): void {
    if (!this.draws || this.nextId === undefined) return;
    this.draws = false;
    this.peer = { ...this.peer, nodeId: this.nextId };
    this.membership.rename(this.nextId, nowMs);
  }
}

function withoutMark(message: ControlMessage): ControlMessage {
  const { body } = message;
  if (body === null || !("info" in body)) return message;
  return {
    ...message,
    body: { ...body, info: { ...body.info, protocol: OLDEST_PROTOCOL } },
  } as ControlMessage;
}

/** Node info has no keys on the wire: KEYS tells them. */
function asOnWire(message: ControlMessage): ControlMessage {
  const { body } = message;
  if (body === null || !("info" in body)) return message;
  const { keys: _untold, ...info } = body.info;
  return { ...message, body: { ...body, info } } as ControlMessage;
}

export interface Heard {
  readonly from: Node;
  readonly message: ControlMessage;
}

/** Whether a message gets lost on its way. */
export type IsLost = (from: Node, to: Node, isForGroup: boolean) => boolean;

/** Lets the nodes talk until a moment; what was said. */
export function talk(
  nodes: readonly Node[],
  fromMs: number,
  toMs: number,
  isLost: IsLost = () => false,
): Heard[] {
  const heard: Heard[] = [];
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 5) {
    for (const from of nodes) {
      from.membership.tick(nowMs);
      for (const { destination, message } of from.take()) {
        heard.push({ from, message });
        for (const to of nodes) {
          const isMeant = destination.to === "group" || destination.address.ip === to.address.ip;
          if (to === from || !isMeant || isLost(from, to, destination.to === "group")) continue;
          to.hear(from.peer, from.address, message, nowMs);
        }
      }
      from.drawIfDue(nowMs);
    }
  }
  return heard;
}
