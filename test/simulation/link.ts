import { CONTROL_HEADER_BYTES } from "../../src/wire/datagram.ts";
import { DATAGRAM_BYTES, TAG_BYTES } from "../../src/wire/limits.ts";

/** Ethernet, IP and UDP headers: the bytes on the wire that come with a datagram. */
export const WIRE_HEADER_BYTES = 14 + 20 + 8;
export const WIRE_FRAGMENT_BYTES = DATAGRAM_BYTES + WIRE_HEADER_BYTES;

/** Bytes on the wire for a control message, sealed and with all headers. */
export function wireControlBytes(plaintextBytes: number): number {
  return WIRE_HEADER_BYTES + CONTROL_HEADER_BYTES + plaintextBytes + TAG_BYTES;
}

/** How long a link of this many Mbit/s needs for this many bytes, in milliseconds. */
export function wireMs(bytes: number, mbps: number): number {
  return (bytes * 8) / (mbps * 1000);
}

export interface BottleneckOptions {
  readonly mbps: number;
  /** The size of its queue; further packets are dropped. */
  readonly queueBytes: number;
  /** The bottleneck ends at this virtual time. */
  readonly untilMs: number;
}

/** A slower link on the way, with a small queue in front of it that drops what does not fit. */
export class Bottleneck {
  private readonly options: BottleneckOptions;
  private backlogBytes = 0;
  private lookedMs = 0;

  constructor(options: BottleneckOptions) {
    this.options = options;
  }

  /** Whether one datagram that arrives at this time gets through. */
  takes(atMs: number, bytes: number): boolean {
    if (atMs >= this.options.untilMs) return true;
    const { mbps, queueBytes } = this.options;
    this.backlogBytes = Math.max(0, this.backlogBytes - ((atMs - this.lookedMs) * mbps * 1000) / 8);
    this.lookedMs = atMs;
    if (this.backlogBytes + bytes > queueBytes) return false;
    this.backlogBytes += bytes;
    return true;
  }

  /** How long the last datagram that got through still waits in the queue, in milliseconds. */
  get delayMs(): number {
    return wireMs(this.backlogBytes, this.options.mbps);
  }
}
