/** The only event pump: inputs into the engine, effects out of it. */
import { type Reason, sentenceOf } from "../../base/reason.ts";
import type { NodeEngine } from "../../engine/node.ts";
import {
  type Effect,
  type InboundKey,
  type Input,
  type NodeEvent,
  type StageOutcome,
} from "../../engine/types.ts";
import { followedUndo } from "../../engine/catch-up/undo-choice.ts";
import { Bitmap } from "../../base/bitmap.ts";
import type { ControlSealer } from "../../net/sealing.ts";
import type { Transport } from "../../net/transports/transport.ts";
import { DATAGRAM_BYTES } from "../../wire/limits.ts";
import type { NodeInfo } from "../../wire/membership-messages.ts";
import { encodeMessage } from "../../wire/message.ts";
import type { DiskThreads } from "../disk/disk-threads.ts";
import {
  bitmapData,
  type NamedList,
  type SourceReply,
  type StageAnswer,
  STAGED_NUMBERS,
  type StagedOutcome,
} from "../disk/messages.ts";
import { RingPool } from "../disk/rings.ts";
import { type CommitDecision, Commits } from "./commits.ts";
import type { InboundDatagrams } from "./inbound-datagrams.ts";
import type { InboundPages } from "./inbound-pages.ts";
import { OutboundTrains } from "./outbound-trains.ts";
import type { TransferKeys } from "./transfer-keys.ts";
import type { TransferObserver } from "./transfer-observer.ts";

/** The parts that the event pump connects. */
export interface DriverParts {
  readonly engine: NodeEngine;
  /** The epoch of this node: 16 hexadecimal digits. */
  readonly epoch: string;
  readonly keys: TransferKeys;
  readonly sealer: ControlSealer;
  readonly transport: Transport;
  readonly inbound: InboundDatagrams;
  readonly pages: InboundPages;
  /** Called with each event of the engine. */
  readonly onEvent: (event: NodeEvent) => void;
  /** Called when publications are to be brought to members that lack them, or no longer. */
  readonly onServe: (effect: Extract<Effect, { kind: "serve" }>) => void;
  /** Called before each commit; calls back with what is to become of it. */
  readonly decide: (
    key: InboundKey,
    commit: (decision: CommitDecision) => void,
    ownAfter: readonly number[],
  ) => void;
  /** Called at the end of each turn of the pump. */
  readonly onTurn: () => void;
}

interface Outbound {
  readonly trains: OutboundTrains;
  readonly observer: TransferObserver;
}

/**
 * Everything that happens to the node (a datagram, a timer, a reply of a disk thread, a request) goes through the driver
 * into the engine. Then the driver carries out the effects that the engine asks for. It never waits.
 */
export class Driver {
  private readonly parts: DriverParts;
  private readonly rings = new RingPool();
  private readonly outbound = new Map<number, Outbound>();
  private readonly commits = new Commits(
    () => this.disks,
    (input) => this.handle(input),
    () => followedUndo(this.parts.engine.catchUp?.log),
  );
  private disks: DiskThreads | undefined;
  private timer: NodeJS.Timeout | undefined;
  private timerMs = Infinity;
  private isPumpPlanned = false;
  private isStopped = false;
  /** The transfer of each block that the transport has sent since the last turn. */
  private readonly sent: number[] = [];

  constructor(parts: DriverParts) {
    this.parts = parts;
    parts.inbound.beforeProgress = () => parts.transport.readTrains();
    // Datagrams come in bunches; the engine's effects are carried out once after a bunch.
    parts.inbound.afterAll = () => this.planPump();
  }

  /** Connects the disk threads. The engine asks nothing of them before start() or a datagram. */
  attach(disks: DiskThreads): void {
    this.disks = disks;
  }

  /** Introduces this node to the others. */
  start(): void {
    this.parts.engine.membership.start(this.nowMs());
    this.planPump();
  }

  /** The node has another address, or was cut off: it introduces itself again. */
  reintroduce(): void {
    const { engine, transport } = this.parts;
    engine.membership.reintroduce(transport.ownAddress, this.nowMs());
    this.planPump();
  }

  /** Asks members whether they are alive. */
  probe(epochs: readonly string[]): void {
    this.parts.engine.membership.probe(epochs, this.nowMs());
    this.planPump();
  }

  /** The node is about to accept other keys: it tells the members their fingerprints at once, under the key that seals now. */
  tellKeys(keys: NodeInfo["keys"]): void {
    this.parts.engine.membership.changeKeys(keys);
    this.handle({ kind: "tick" });
    // Not at the next turn: the keys are exchanged before it.
    this.pump();
  }

  /** The node has another id from now on: it introduces itself again. */
  rename(nodeId: string): void {
    this.parts.sealer.rename(nodeId);
    this.handle({ kind: "renamed", nodeId });
  }

  /** Milliseconds of a clock that only goes forward. */
  nowMs(): number {
    return performance.now();
  }

  /** Gives the engine an input; its effects are carried out at the next turn. */
  handle(input: Input): void {
    this.parts.engine.handle(input, this.nowMs());
    this.planPump();
  }

  /** Begins a transfer. `observer` hears of it until it is over. */
  startTransfer(input: Extract<Input, { kind: "start-transfer" }>, observer: TransferObserver): void {
    const { transfer, dryRun, datagramBytes = DATAGRAM_BYTES } = input.request;
    const trains = new OutboundTrains(this.parts.transport, this.rings, datagramBytes);
    this.outbound.set(transfer, { trains, observer });
    this.disks?.toSource({
      kind: "open",
      transfer,
      epoch: this.parts.epoch,
      key: this.parts.keys.begin(transfer).transferKey(this.parts.epoch, transfer),
      ring: trains.ring,
      datagramBytes,
      request: observer.request,
      rules: observer.rules,
      dryRun,
      compression: observer.compression,
      tellsDigests: observer.tellsDigests,
      tellsChunks: observer.tellsChunks,
      digestsData: observer.digestsData,
    });
    this.handle(input);
  }

  /** The reading thread has made blocks, or tells which entries are sent. */
  onSource(reply: SourceReply): void {
    if (reply.kind === "checked") {
      this.commits.takeChecked(reply);
      return;
    }
    const outbound = this.outbound.get(reply.transfer);
    if (outbound === undefined) {
      // The transfer is over, but the engine is to know that the disk has answered.
      if (reply.kind === "produced") this.handle(reply);
      return;
    }
    outbound.observer.onSource(reply);
    if (reply.kind === "reports" || reply.kind === "withheld") return;
    reply.blocks.forEach((block, index) =>
      outbound.trains.noteBlock(reply.firstBlock + index, block.sealedBytes),
    );
    this.handle(reply);
  }

  /** A later publication has taken effect here, so a transfer that serves need not bring its paths. */
  supersede(transfer: number, list: NamedList): void {
    if (this.outbound.has(transfer)) this.disks?.toSource({ kind: "supersede", transfer, list });
    this.planPump();
  }

  /** The staging thread answers. */
  onStage(replies: readonly StageAnswer[]): void {
    for (const reply of replies) this.takeStaged(reply);
  }

  /** Makes the pump turn soon, even if nothing has happened. */
  wake(): void {
    this.planPump();
  }

  /** Tells the other nodes that this one leaves, and ends when the kernel has taken that. */
  async stop(): Promise<void> {
    this.handle({ kind: "stop" });
    // Not at the next turn: nothing may come in between.
    this.pump();
    await this.parts.transport.drain();
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private takeStaged(reply: StageAnswer): void {
    const { inbound: key } = reply;
    if (reply.kind !== "staged") {
      const { inbound, ...rest } = reply;
      if (rest.kind === "switched") this.commits.switched(inbound);
      else if (rest.kind === "committed") this.commits.end(rest.failure, inbound);
      else if (rest.kind === "prepared")
        this.handle({ ...rest, key: inbound, failure: textOf(rest.failure) });
      else if (rest.kind === "overtaken")
        this.handle({ ...rest, key: inbound, failure: sentenceOf(rest.failure) });
      else this.handle({ ...rest, key: inbound });
      return;
    }
    const { outcome } = reply;
    if (outcome.kind === "corrupt") this.parts.inbound.noteSpoiled(reply.blocks.length / STAGED_NUMBERS);
    const blocks: number[] = [];
    for (let index = 0; index < reply.blocks.length; index += STAGED_NUMBERS) {
      blocks.push(reply.blocks[index] as number);
      this.parts.pages.give(reply.blocks[index + 1] as number);
    }
    this.handle({ kind: "staged", key, blocks, outcome: stageOutcome(outcome) });
  }

  private planPump(): void {
    if (this.isPumpPlanned) return;
    this.isPumpPlanned = true;
    setImmediate(() => this.pump());
  }

  private pump(): void {
    const { engine } = this.parts;
    this.isPumpPlanned = false;
    for (const transfer of this.sent.splice(0)) engine.handle({ kind: "sent", transfer }, this.nowMs());
    engine.afterFragments(this.nowMs());
    for (let effect = engine.poll(); effect !== undefined; effect = engine.poll()) this.execute(effect);
    this.disks?.flush();
    this.setTimer();
    this.parts.onTurn();
  }

  private setTimer(): void {
    // What the disk threads still answer turns the pump also after the stop; time does not.
    if (this.isStopped) return;
    const deadlineMs = this.parts.engine.nextDeadlineMs();
    // Most deadlines move on before they come. A timer that goes off too early costs less than a new one each time.
    if (deadlineMs >= this.timerMs) return;
    clearTimeout(this.timer);
    this.timerMs = deadlineMs;
    const delayMs = Math.max(0, Math.ceil(deadlineMs - this.nowMs()));
    this.timer = setTimeout(() => {
      this.timerMs = Infinity;
      this.handle({ kind: "tick" });
    }, delayMs);
  }

  private execute(effect: Effect): void {
    switch (effect.kind) {
      case "send":
        this.send(effect);
        break;
      case "send-block":
        this.sendBlock(effect);
        break;
      case "produce":
        this.disks?.toSource(effect);
        break;
      case "settle":
        this.settle(effect);
        break;
      case "close-source":
        this.disks?.toSource({ kind: "close", transfer: effect.transfer });
        this.outbound.get(effect.transfer)?.trains.close();
        this.outbound.delete(effect.transfer);
        break;
      case "event":
        if (effect.event.kind === "inbound-ended") this.closeInbound(effect.event.key);
        if (effect.event.kind === "transfer-finished") this.parts.keys.finish(effect.event.result.transfer);
        this.parts.onEvent(effect.event);
        break;
      case "open-stage":
        this.openStage(effect.key, effect.dryRun);
        break;
      case "stage":
        this.disks?.stageBlock(effect, this.parts.pages.handOver(effect.key, effect.block));
        break;
      case "read-findings":
        this.disks?.toStage({ kind: "find", inbound: effect.key, first: effect.first });
        break;
      case "weigh":
        this.commits.weigh(effect, (weigh) => this.parts.decide(effect.key, weigh, effect.own));
        break;
      case "commit":
        this.parts.decide(effect.key, (decision) => this.commits.begin(effect, decision), effect.ownAfter);
        break;
      case "serve":
        this.parts.onServe(effect);
        break;
      case "discard":
        this.commits.discard(effect.key);
        break;
      default:
        this.disks?.toStage({ kind: effect.kind, inbound: effect.key });
    }
  }

  private send(effect: Extract<Effect, { kind: "send" }>): void {
    const { destination, message } = effect;
    const datagram = this.parts.sealer.seal(encodeMessage(message), this.parts.keys.keyFor(message));
    if (destination.to === "group") this.parts.transport.sendToGroup(datagram);
    else this.parts.transport.sendToNode(datagram, destination.address.ip, destination.address.port);
  }

  private sendBlock(effect: Extract<Effect, { kind: "send-block" }>): void {
    const { transfer } = effect;
    // The engine hears of it at the next turn: before that, the event loop looks for datagrams and replies.
    this.outbound.get(transfer)?.trains.send(effect, () => {
      this.sent.push(transfer);
      this.planPump();
    });
  }

  private settle(effect: Extract<Effect, { kind: "settle" }>): void {
    const { transfer, block, union, contents, elsewhere, moved, separate } = effect;
    const observer = this.outbound.get(transfer)?.observer;
    if (observer === undefined) return;
    const { detail } = observer;
    const named = detail === "none" ? [] : effect.wants;
    const wants = named.map((want) => ({
      host: observer.hostOf(want.epoch),
      entries: bitmapData(want.entries),
      differences: want.differences,
    }));
    this.disks?.toSource({
      kind: "settle",
      transfer,
      block,
      union: bitmapData(union),
      contents: bitmapData(contents),
      elsewhere: elsewhere === undefined ? undefined : bitmapData(elsewhere),
      moved: moved === undefined ? undefined : bitmapData(moved),
      separate: separate === undefined ? undefined : bitmapData(separate),
      wants,
      detail,
    });
  }

  private openStage(key: InboundKey, dryRun: boolean): void {
    const common = { kind: "open", inbound: key, dryRun } as const;
    if (key.epoch === this.parts.epoch) {
      const origin = this.outbound.get(key.transfer)?.observer.rules.origin;
      this.disks?.toStage({ ...common, key: NO_KEY, origin });
      return;
    }
    this.parts.pages.open(key);
    this.parts.transport.expectTrains(true);
    const secret = this.parts.keys.open(key).transferKey(key.epoch, key.transfer);
    this.disks?.toStage({ ...common, key: secret });
  }

  private closeInbound(key: InboundKey): void {
    this.parts.keys.close(key);
    this.parts.pages.close(key);
    this.parts.transport.expectTrains(this.parts.pages.areInUse);
  }
}

/** For what this node stages of its own: no block of it is opened. */
const NO_KEY = new Uint8Array(32);

/** The engine takes reasons as the sentences that go over the wire. */
function textOf(failure: Reason | undefined): string | undefined {
  return failure === undefined ? undefined : sentenceOf(failure);
}

const WRITTEN = { kind: "staged", wants: undefined, differences: undefined, findings: 0 } as const;

function stageOutcome(outcome: StagedOutcome): StageOutcome {
  if (outcome.kind === "written") return WRITTEN;
  if (outcome.kind === "failed") return { kind: "failed", reason: sentenceOf(outcome.reason) };
  if (outcome.kind === "corrupt") return outcome;
  return { ...outcome, wants: new Bitmap(outcome.wants.size, outcome.wants.bytes) };
}
