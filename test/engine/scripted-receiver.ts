import assert from "node:assert/strict";
import type { Bitmap } from "../../src/base/bitmap.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { NodeEngine } from "../../src/engine/node.ts";
import type { Effect, InboundKey, Input, NodeEvent, StageOutcome } from "../../src/engine/types.ts";
import { BlockKind, FragmentHeader, epochHalves } from "../../src/wire/datagram.ts";
import type { ControlMessage } from "../../src/wire/message.ts";
import type { Status } from "../../src/wire/status-message.ts";
import type { Progress } from "../../src/wire/transfer-messages.ts";

/** A node that receives, with senders whose every word and fragment a test chooses. */

export const SELF = {
  nodeId: "a".repeat(32),
  epoch: "a".repeat(16),
  address: { ip: "10.9.9.9", port: 5000 },
};
const INFO = { hostName: "self", version: "1", protocol: 3, receives: true, sends: true, labels: [] };

export const TRANSFER = 1;
export const WINDOW_BLOCKS = 16;
export const SOCKET_FRAGMENTS = 400;

type Of<Kind extends Effect["kind"]> = Extract<Effect, { kind: Kind }>;

/** The effects that are for a disk. */
export type DiskEffect = Of<
  "open-stage" | "stage" | "prepare" | "weigh" | "commit" | "discard" | "read-findings"
>;

export class ScriptedReceiver {
  readonly engine: NodeEngine;
  nowMs = 0;
  readonly disk: DiskEffect[] = [];
  readonly events: NodeEvent[] = [];
  readonly said: { readonly atMs: number; readonly to: string; readonly message: ControlMessage }[] = [];

  /** @param senders how many other nodes there are */
  constructor(senders = 1, info: Partial<typeof INFO> = {}) {
    const options = {
      windowBlocks: WINDOW_BLOCKS,
      socketFragments: SOCKET_FRAGMENTS,
      fragmentsPerSecond: Infinity,
    };
    this.engine = new NodeEngine(SELF, { ...INFO, ...info }, options, new SeededRandom(1));
    for (let sender = 0; sender < senders; sender++)
      this.hear({ type: "hello", body: { info: { ...INFO, hostName: `host${sender}` } } }, sender);
    this.run(1000);
    assert.equal(this.engine.membership.size, senders);
    this.said.length = 0;
  }

  run(durationMs: number): void {
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs; this.nowMs++)
      this.handle({ kind: "tick" });
  }

  handle(input: Input): void {
    this.engine.handle(input, this.nowMs);
    this.collect();
  }

  hear(message: ControlMessage, sender = 0): void {
    this.handle({ kind: "message", from: peerOf(sender), source: addressOf(sender), message });
  }

  offer(transfer = TRANSFER, dryRun = false, sender = 0, allOrNothing = false): void {
    const body = { transfer, dryRun, allOrNothing, rank: 1, targets: [SELF.epoch] };
    this.hear({ type: "offer", body }, sender);
  }

  progress(parts: Partial<Progress> = {}): void {
    const body: Progress = {
      transfer: TRANSFER,
      sentBlocks: 0,
      stamp: 0,
      settledBelow: 0,
      final: false,
      poll: false,
      spreadMs: 0,
      ...parts,
    };
    this.hear({ type: "progress", body });
  }

  /**
   * Fragments of one block arrive.
   *
   * @returns whether the payloads of some are to be kept
   */
  fragments(block: number, options: FragmentOptions = {}): boolean {
    const { first = 0, count = 1, stamp = 0, sealedBytes = 100, sender = 0, port = 5000 } = options;
    const { high: epochHigh, low: epochLow } = epochHalves(peerOf(sender).epoch);
    const header = Object.assign(new FragmentHeader(), {
      ...{ epochHigh, epochLow, block, sealedBytes },
      transfer: options.transfer ?? TRANSFER,
      stamp: stamp + count - 1,
      index: first + count - 1,
      kind: options.kind ?? BlockKind.data,
    });
    const key = this.engine.acceptRun(header, count, { ...addressOf(sender), port });
    this.engine.afterFragments(this.nowMs);
    this.collect();
    return key !== undefined;
  }

  /** The disk has staged some blocks. */
  staged(blocks: readonly number[], outcome: Partial<Extract<StageOutcome, { kind: "staged" }>> = {}): void {
    const whole = {
      kind: "staged",
      wants: undefined,
      differences: undefined,
      findings: 0,
      ...outcome,
    } as const;
    this.handle({ kind: "staged", key: keyOf(), blocks, outcome: whole });
  }

  /** The disk has compared a manifest block. */
  compared(block: number, wants: Bitmap): void {
    this.staged([block], { wants });
  }

  prepared(failure?: string, isRefusal = false, findings = 0): void {
    this.handle({ kind: "prepared", key: keyOf(), failure, isRefusal, findings });
  }

  order(order: number, targets: readonly string[] = [SELF.epoch]): void {
    this.hear({ type: "order", body: { transfer: TRANSFER, order, targets } });
  }

  commit(order: number, targets: readonly string[] = [SELF.epoch]): void {
    this.hear({ type: "commit", body: { transfer: TRANSFER, order, targets } });
  }

  /** What it has told of itself since the last time, oldest first. */
  takeStatuses(): Status[] {
    const statuses = this.said.flatMap(({ message }) => (message.type === "status" ? [message.body] : []));
    this.said.length = 0;
    return statuses;
  }

  /** The newest of them; it has to have said something. */
  takeStatus(): Status {
    const status = this.takeStatuses().at(-1);
    assert.ok(status, "it has said where it is");
    return status;
  }

  /** What was asked of the disk since the last time. */
  takeDisk(): DiskEffect[] {
    return this.disk.splice(0);
  }

  /** Brings a transfer of one small block to where everything is staged. */
  receiveAll(allOrNothing = false): void {
    this.offer(TRANSFER, false, 0, allOrNothing);
    this.fragments(0);
    this.staged([0]);
    this.progress({ sentBlocks: 1, stamp: 1, final: true });
  }

  /** Brings it on to where it is ready. */
  becomeReady(allOrNothing = false): void {
    this.receiveAll(allOrNothing);
    this.prepared();
  }

  private collect(): void {
    for (let effect = this.engine.poll(); effect !== undefined; effect = this.engine.poll())
      this.execute(effect);
  }

  private execute(effect: Effect): void {
    if (effect.kind === "event") this.events.push(effect.event);
    else if (effect.kind === "send") this.noteSaid(effect);
    else this.disk.push(effect as DiskEffect);
  }

  private noteSaid({ destination, message }: Of<"send">): void {
    const to = destination.to === "group" ? "group" : destination.address.ip;
    this.said.push({ atMs: this.nowMs, to, message });
    if (message.type !== "challenge") return;
    const [, , high, low] = to.split(".").map(Number) as [number, number, number, number];
    const sender = high * 256 + low;
    const info = { ...INFO, hostName: `host${sender}` };
    const route = { to: SELF.epoch, from: { ip: to, port: 5000 } };
    const body = { answer: message.body.nonce, nonce: "0".repeat(32), ...route, info };
    this.hear({ type: "response", body }, sender);
  }
}

interface FragmentOptions {
  readonly first?: number;
  readonly count?: number;
  /** Of the first of them. */
  readonly stamp?: number;
  readonly sealedBytes?: number;
  readonly kind?: number;
  readonly transfer?: number;
  readonly sender?: number;
  readonly port?: number;
}

export function epochOf(sender: number): string {
  return "b".repeat(8) + sender.toString(16).padStart(8, "0");
}

/** Names the transfer that most tests are about. */
export function keyOf(transfer = TRANSFER, sender = 0, admission = 1): InboundKey {
  return { epoch: epochOf(sender), transfer, admission };
}

function peerOf(sender: number) {
  return { nodeId: "c".repeat(24) + sender.toString(16).padStart(8, "0"), epoch: epochOf(sender) };
}

function addressOf(sender: number) {
  return { ip: `10.0.${sender >> 8}.${sender & 255}`, port: 5000 };
}
