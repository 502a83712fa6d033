import { DecodeError } from "../base/bytes.ts";
import type { NodeEngine } from "../engine/node.ts";
import type { Address, InboundKey } from "../engine/types.ts";
import type { ControlOpener } from "../net/sealing.ts";
import {
  datagramLength,
  DatagramType,
  decodeFragment,
  FRAGMENT_PAYLOAD_BYTES,
  FragmentHeader,
} from "../wire/datagram.ts";
import { WINDOW_BLOCKS } from "../wire/limits.ts";
import { decodeMessage } from "../wire/message.ts";
import type { Counters } from "./counters.ts";
import { SLOT_BYTES } from "./disk/rings.ts";

/**
 * Takes in what the sockets give: control messages are opened and handed to the engine, payloads of fragments go
 * straight into the slot of their block.
 */
export class InboundDatagrams {
  private readonly engine: NodeEngine;
  private readonly opener: ControlOpener;
  private readonly counters: Counters;
  private readonly header = new FragmentHeader();
  /** The memory of each incoming transfer, by the key object that the engine knows it by. */
  private readonly rings = new Map<InboundKey, Uint8Array>();

  /** Called when an offer was taken in: the memory for its blocks is to be made now. */
  afterOffer: () => void = () => undefined;

  constructor(engine: NodeEngine, opener: ControlOpener, counters: Counters) {
    this.engine = engine;
    this.opener = opener;
    this.counters = counters;
  }

  addRing(key: InboundKey, ring: SharedArrayBuffer): void {
    this.rings.set(key, new Uint8Array(ring));
  }

  removeRing(key: InboundKey): void {
    this.rings.delete(key);
  }

  /** Takes in one datagram, or several in one piece. */
  take(bytes: Buffer, ip: string, port: number, nowMs: number): void {
    const source = { ip, port };
    for (let start = 0; start < bytes.length;) {
      const length = datagramLength(bytes, start, bytes.length);
      if (length === 0) {
        this.counters.malformed++;
        return;
      }
      const type = bytes[start + 2];
      if (type === DatagramType.fragment) this.takeFragment(bytes, start, length, source);
      else if (type === DatagramType.control)
        this.takeControl(bytes.subarray(start, start + length), source, nowMs);
      else this.counters.malformed++;
      start += length;
    }
  }

  private takeFragment(bytes: Buffer, start: number, length: number, source: Address): void {
    const { header } = this;
    if (!decodeFragment(bytes, start, length, header)) {
      this.counters.malformed++;
      return;
    }
    const key = this.engine.acceptFragment(header, source);
    if (key === undefined) return;
    const ring = this.rings.get(key);
    if (ring === undefined) return;
    const offset = (header.block % WINDOW_BLOCKS) * SLOT_BYTES + header.index * FRAGMENT_PAYLOAD_BYTES;
    bytes.copy(ring, offset, header.payloadStart, header.payloadStart + header.payloadBytes);
  }

  private takeControl(datagram: Buffer, source: Address, nowMs: number): void {
    try {
      const opened = this.opener.open(datagram);
      if (opened.kind === "replayed") this.counters.replayed++;
      else if (opened.kind === "foreign") {
        this.counters.foreign++;
        this.counters.lastForeignSource = source.ip;
      } else {
        const { nodeId, epoch } = opened.header;
        const message = decodeMessage(opened.plaintext);
        this.engine.handle({ kind: "message", from: { nodeId, epoch }, source, message }, nowMs);
        // Fragments may stand right behind the offer, and need their memory.
        if (message.type === "offer") this.afterOffer();
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.counters.malformed++;
    }
  }
}
