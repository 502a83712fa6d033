import assert from "node:assert/strict";
import { SeededRandom } from "../../src/base/random.ts";
import { NodeEngine } from "../../src/engine/node.ts";
import type {
  Effect,
  Input,
  NodeEvent,
  ProducedBlock,
  TransferRequest,
  TransferResult,
} from "../../src/engine/types.ts";
import { BlockKind, SEALED_BLOCK_BYTES } from "../../src/wire/datagram.ts";
import type { ControlMessage } from "../../src/wire/message.ts";
import { MemberPhase, type Status } from "../../src/wire/status-message.ts";

/** A node that sends, with members whose every word a test chooses. */

export const SELF = {
  nodeId: "a".repeat(32),
  epoch: "a".repeat(16),
  address: { ip: "10.9.9.9", port: 5000 },
};
const INFO = { hostName: "self", version: "1", protocol: 3, receives: true, sends: true, labels: [] };

/** The first transfer has this number. */
export const TRANSFER = 1;

/** A whole block, and one that has but one fragment. */
export const LARGE: ProducedBlock = { kind: BlockKind.data, sealedBytes: SEALED_BLOCK_BYTES, entries: 0 };
export const SMALL: ProducedBlock = { kind: BlockKind.data, sealedBytes: 100, entries: 0 };

export function manifest(entries: number): ProducedBlock {
  return { kind: BlockKind.manifest, sealedBytes: 200, entries };
}

const STAGE_EFFECTS: ReadonlySet<Effect["kind"]> = new Set([
  "open-stage",
  "prepare",
  "read-findings",
  "weigh",
  "commit",
  "discard",
] as const);

type Of<Kind extends Effect["kind"]> = Extract<Effect, { kind: Kind }>;
type Message<Type extends ControlMessage["type"]> = Extract<ControlMessage, { type: Type }>["body"];

/** How the source answers: with a block, or with an end. */
export interface Source {
  readonly blocks: ProducedBlock[];
  /** What it says when it has nothing more. */
  readonly last?: "idle" | "end";
}

export class ScriptedSender {
  readonly engine: NodeEngine;
  nowMs = 0;
  /** Everything the node has wanted so far, but for what is between it and its source and socket. */
  readonly said: { readonly atMs: number; readonly to: string; readonly message: ControlMessage }[] = [];
  readonly sent: (Of<"send-block"> & { readonly atMs: number })[] = [];
  readonly settled: Of<"settle">[] = [];
  /** What was asked of the disk for the part of the node itself, since the last look. */
  private readonly disk: Effect[] = [];
  readonly events: NodeEvent[] = [];
  isSourceClosed = false;
  /** Whether the source answers nothing. */
  isSourceHung = false;
  /** Whether the socket takes what is sent at once. */
  isSocketFree = true;
  private readonly source: Source;

  constructor(members: number, source: Source) {
    this.source = source;
    const options = { windowBlocks: 256, socketFragments: 10_000, fragmentsPerSecond: Infinity };
    this.engine = new NodeEngine(SELF, INFO, options, new SeededRandom(1));
    for (let index = 0; index < members; index++)
      this.hear(index, { type: "hello", body: { info: infoOf(index) } });
    this.run(1000);
    assert.equal(this.engine.membership.size, members);
    this.said.length = 0;
  }

  start(options: Partial<TransferRequest> = {}): void {
    const targets = [...this.engine.membership.members].sort((a, b) => (a.epoch < b.epoch ? -1 : 1));
    const request = { transfer: TRANSFER, targets, dryRun: false, allOrNothing: false, ...options };
    this.handle({ kind: "start-transfer", request });
  }

  /** Lets time pass. */
  run(durationMs: number): void {
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs; this.nowMs++)
      this.handle({ kind: "tick" });
  }

  /** Lets time pass, in which some members say again and again where they are. */
  runWith(durationMs: number, stepMs: number, status: (index: number) => Partial<Status> | undefined): void {
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs;) {
      this.run(stepMs);
      for (let index = 0; index < this.engine.membership.size; index++) {
        const parts = status(index);
        if (parts !== undefined) this.status(index, parts);
      }
    }
  }

  handle(input: Input): void {
    this.engine.handle(input, this.nowMs);
    for (let effect = this.engine.poll(); effect !== undefined; effect = this.engine.poll())
      this.execute(effect);
  }

  hear(index: number, message: ControlMessage): void {
    this.handle({ kind: "message", from: peerOf(index), source: addressOf(index), message });
  }

  /** A member says where it is: it takes everything and misses nothing, but for what is said otherwise. */
  status(index: number, parts: Partial<Status> = {}): void {
    const body: Status = {
      sender: SELF.epoch,
      transfer: TRANSFER,
      phase: MemberPhase.receiving,
      stamp: this.stamp,
      stagedBelow: 0,
      windowEnd: 256,
      inFlight: 10_000,
      received: this.stamp,
      missingRuns: [],
      missingFragments: [],
      wants: [],
      reason: "",
      findings: 0,
      worked: 0,
      admission: 1,
      ahead: 0,
      order: 0,
      ...parts,
    };
    this.hear(index, { type: "status", body });
  }

  /** How many fragments have been sent. */
  get stamp(): number {
    return this.sent.reduce((sum, one) => sum + bits(one.maskLow) + bits(one.maskHigh), 0);
  }

  /** The blocks that were sent, in their order. */
  get blocks(): number[] {
    return this.sent.map(({ block }) => block);
  }

  /** What was said of one kind since the last time that it was asked for. */
  take<Type extends ControlMessage["type"]>(type: Type): { to: string; atMs: number; body: Message<Type> }[] {
    const isOfType = ({ message }: { message: ControlMessage }) => message.type === type;
    const found = this.said.filter(isOfType);
    const rest = this.said.filter((one) => !isOfType(one));
    this.said.splice(0, this.said.length, ...rest);
    return found.map(({ to, atMs, message }) => ({ to, atMs, body: message.body as Message<Type> }));
  }

  takeDisk(): Effect[] {
    return this.disk.splice(0);
  }

  get result(): TransferResult | undefined {
    const event = this.events.find((one) => one.kind === "transfer-finished");
    return event?.result;
  }

  get isOver(): boolean {
    return this.result !== undefined;
  }

  /** What became of each member, and why. */
  get verdicts(): string[] {
    return (this.result?.verdicts ?? []).map(({ hostName, outcome, reason }) =>
      `${hostName} ${outcome} ${reason}`.trim(),
    );
  }

  private execute(effect: Effect): void {
    if (effect.kind === "send") this.noteSaid(effect);
    else if (effect.kind === "event") this.events.push(effect.event);
    else if (effect.kind === "settle") this.settled.push(effect);
    else if (STAGE_EFFECTS.has(effect.kind)) this.disk.push(effect);
    else if (effect.kind === "close-source") this.isSourceClosed = true;
    else if (effect.kind === "produce" && !this.isSourceHung) this.produce(effect);
    else if (effect.kind === "send-block") {
      this.sent.push({ ...effect, atMs: this.nowMs });
      if (this.isSocketFree) this.handle({ kind: "sent", transfer: effect.transfer });
    }
  }

  private noteSaid({ destination, message }: Of<"send">): void {
    const to = destination.to === "group" ? "group" : destination.address.ip;
    this.said.push({ atMs: this.nowMs, to, message });
    if (message.type !== "challenge") return;
    const index = indexOf(to);
    const route = { to: SELF.epoch, from: { ip: to, port: 5000 } };
    const body = { answer: message.body.nonce, nonce: "0".repeat(32), ...route, info: infoOf(index) };
    this.hear(index, { type: "response", body });
  }

  private produce({ transfer, count }: Of<"produce">): void {
    const blocks = this.source.blocks.splice(0, count);
    const state = this.source.blocks.length > 0 ? "more" : (this.source.last ?? "end");
    this.handle({ kind: "produced", transfer, blocks, state, failure: undefined, unreadable: 0 });
  }
}

/** The epoch of a member. */
export function epochOf(index: number): string {
  return "b".repeat(8) + index.toString(16).padStart(8, "0");
}

export function hostOf(index: number): string {
  return `host${index}`;
}

export function infoOf(index: number) {
  return { ...INFO, hostName: hostOf(index) };
}

function peerOf(index: number) {
  return { nodeId: "c".repeat(24) + index.toString(16).padStart(8, "0"), epoch: epochOf(index) };
}

export function addressOf(index: number) {
  return { ip: `10.0.${index >> 8}.${index & 255}`, port: 5000 };
}

function indexOf(ip: string): number {
  const [, , high, low] = ip.split(".").map(Number) as [number, number, number, number];
  return high * 256 + low;
}

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}
