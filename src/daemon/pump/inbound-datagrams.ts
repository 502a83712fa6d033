/** Opens control messages, takes in fragments and trains. */
import { DecodeError } from "../../base/bytes.ts";
import type { NodeEngine } from "../../engine/node.ts";
import type { Address, FoundProblem, InboundKey } from "../../engine/types.ts";
import type { DatagramHandler } from "../../net/datagram-handler.ts";
import type { ForeignSources } from "../../net/foreign-sources.ts";
import type { ControlOpener } from "../../net/sealing.ts";
import { StrangerBudget } from "../../net/stranger-budget.ts";
import type { ScatteredMessage } from "../../sys/datagram-reader.ts";
import {
  datagramLength,
  datagramOfOtherVersion,
  DatagramType,
  decodeFragment,
  decodeRun,
  FragmentHeader,
} from "../../wire/datagram.ts";
import { DATAGRAM_BYTES } from "../../wire/limits.ts";
import { announcedInfo, decodeMessage } from "../../wire/message.ts";
import type { Counters } from "./counters.ts";
import type { InboundPages } from "./inbound-pages.ts";
import type { TransferKeys } from "./transfer-keys.ts";

/**
 * Takes in what the transport hands over. Control messages are opened and go to the engine. Payloads of fragments go
 * straight into the page of their block.
 */
export class InboundDatagrams implements DatagramHandler {
  private readonly engine: NodeEngine;
  private readonly opener: ControlOpener;
  private readonly counters: Counters;
  private readonly pages: InboundPages;
  private readonly keys: TransferKeys;
  private readonly foreign: ForeignSources;
  private readonly nowMs: () => number;
  private readonly strangers: Pick<StrangerBudget, "take">;
  private readonly header = new FragmentHeader();

  /** Called before a PROGRESS is taken in: the blocks that its sender has sent before it are to be taken in first. */
  beforeProgress: () => void = () => undefined;
  /** Called when any datagrams were taken in. */
  afterAll: () => void = () => undefined;

  constructor(parts: {
    readonly engine: NodeEngine;
    readonly opener: ControlOpener;
    readonly counters: Counters;
    readonly pages: InboundPages;
    readonly keys: TransferKeys;
    /** Where packets under another key are noted. */
    readonly foreign: ForeignSources;
    /** Milliseconds of a clock that only goes forward. */
    readonly nowMs: () => number;
    /** What may be done for unknown nodes; the usual budget if it is left out. */
    readonly strangers?: Pick<StrangerBudget, "take">;
  }) {
    this.engine = parts.engine;
    this.opener = parts.opener;
    this.counters = parts.counters;
    this.pages = parts.pages;
    this.keys = parts.keys;
    this.foreign = parts.foreign;
    this.nowMs = parts.nowMs;
    this.strangers = parts.strangers ?? new StrangerBudget();
  }

  /** Blocks did not open. */
  noteSpoiled(blocks: number): void {
    this.counters.spoiled += blocks;
  }

  takeDatagrams(bytes: Buffer, from: number, end: number, ip: string, port: number): void {
    const source = { ip, port };
    for (let start = from; start < end;) {
      const length = datagramLength(bytes, start, end);
      if (length === 0) {
        const read = this.takeOtherVersion(bytes, start, end, ip);
        if (read === 0) break;
        start += read;
        continue;
      }
      const type = bytes[start + 2];
      if (type === DatagramType.fragment) this.takeFragment(bytes, start, length, source);
      else if (type === DatagramType.control) this.takeControl(bytes.subarray(start, start + length), source);
      else this.counters.noteMalformed(ip);
      start += length;
    }
    this.afterAll();
  }

  takeTrain(train: ScatteredMessage): boolean {
    const { header } = this;
    const count = Math.ceil(train.sizeBytes / DATAGRAM_BYTES);
    if (!decodeRun(train.headers, train.headersStart, train.sizeBytes, header)) return false;
    this.afterAll();
    if (this.pages.areUsedUp) return true;
    const key = this.engine.acceptRun(header, count, train);
    if (key === undefined) return true;
    const first = header.index - count + 1;
    this.moveParity(key);
    train.page = this.pages.keepRun(key, header.block, first, count, train.page);
    return true;
  }

  private takeFragment(bytes: Buffer, start: number, length: number, source: Address): void {
    const { header } = this;
    if (!decodeFragment(bytes, start, length, header)) {
      this.counters.noteMalformed(source.ip);
      return;
    }
    if (this.pages.areUsedUp) return;
    const key = this.engine.acceptFragment(header, source);
    const { fragmentPlaces: places } = this.engine;
    if (places?.hasContradicted === true) this.counters.noteMalformed(source.ip);
    if (key === undefined) return;
    this.moveParity(key);
    this.pages.keepFragment(key, header, bytes, places?.placeOf(header.block, header.index));
  }

  /** Parity lies where fragments are missing: it makes room for those that were accepted last. */
  private moveParity(key: InboundKey): void {
    const moves = this.engine.fragmentPlaces?.moves;
    // Mostly nothing is lost, and there is no parity.
    if (moves === undefined || moves.length === 0) return;
    const { block, fullBytes } = this.header;
    for (const move of moves) this.pages.moveFragment(key, block, move, fullBytes);
  }

  /**
   * A node of another version cannot be understood, but named. Its seal proves that it is of this fleet: header, key and seal
   * are the same in all versions (PROTOCOL.md 2).
   *
   * @returns how many bytes were read; 0 if nothing here can be read
   */
  private takeOtherVersion(bytes: Buffer, start: number, end: number, ip: string): number {
    const other = datagramOfOtherVersion(bytes, start, end);
    if (other === undefined) {
      this.counters.noteMalformed(ip);
      return 0;
    }
    const { version, lengthBytes, isControl } = other;
    this.counters.otherVersion++;
    if (!isControl) return lengthBytes;
    const datagram = bytes.subarray(start, start + lengthBytes);
    try {
      const opened = this.opener.open(datagram, () => this.strangers.take(ip, this.nowMs()));
      const isProven = opened.kind === "opened";
      // It speaks this version too.
      if (isProven && this.engine.membership.memberOf(opened.header.epoch) !== undefined) return lengthBytes;
      if (opened.kind === "replayed") return lengthBytes;
      const told = isProven
        ? { nodeId: opened.header.nodeId, info: announcedInfo(opened.plaintext) }
        : undefined;
      this.noteProblem({ kind: "other-version", ip, version, isProven, ...told });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
    return lengthBytes;
  }

  private noteProblem(found: FoundProblem): void {
    this.engine.membership.problems.note(found, this.nowMs());
  }

  private takeControl(datagram: Buffer, source: Address): void {
    try {
      const opened = this.opener.open(datagram, () => this.strangers.take(source.ip, this.nowMs()));
      if (opened.kind === "replayed") this.counters.replayed++;
      else if (opened.kind === "unexamined") this.counters.unexamined++;
      else if (opened.kind === "foreign") this.noteForeign(opened.header.nodeId, source);
      else {
        const { nodeId, epoch } = opened.header;
        const message = decodeMessage(opened.plaintext);
        if (!this.keys.mayTake(epoch, message, opened.fleetKey)) {
          this.noteForeign(nodeId, source);
          return;
        }
        if (message.type === "offer") {
          this.keys.noteOffer({ epoch, transfer: message.body.transfer }, opened.fleetKey);
        }
        // Not before an OFFER: the fragments after it belong to no transfer yet, and would be dropped.
        if (message.type === "progress") this.beforeProgress();
        this.engine.handle({ kind: "message", from: { nodeId, epoch }, source, message }, this.nowMs());
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.counters.noteMalformed(source.ip);
    }
  }

  private noteForeign(nodeId: string, { ip }: Address): void {
    this.counters.foreign++;
    this.counters.lastForeignSource = ip;
    this.foreign.note(ip, nodeId, this.nowMs());
    this.noteProblem({ kind: "foreign-key", ip, isProven: false });
  }
}
