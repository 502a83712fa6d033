import { CONTROL_HEADER_BYTES } from "../../src/wire/datagram.ts";
import { DATAGRAM_BYTES, TAG_BYTES } from "../../src/wire/limits.ts";

/** Ethernet, IP and UDP headers: what the wire carries beside a datagram. */
export const WIRE_HEADER_BYTES = 14 + 20 + 8;
export const WIRE_FRAGMENT_BYTES = DATAGRAM_BYTES + WIRE_HEADER_BYTES;

/** What a control message takes on the wire, sealed and with all headers. */
export function wireControlBytes(plaintextBytes: number): number {
  return WIRE_HEADER_BYTES + CONTROL_HEADER_BYTES + plaintextBytes + TAG_BYTES;
}

/** How long a link of so many Mbit/s takes for so many bytes, in milliseconds. */
export function wireMs(bytes: number, mbps: number): number {
  return (bytes * 8) / (mbps * 1000);
}

export interface BottleneckOptions {
  readonly mbps: number;
  /** What its queue holds; whatever comes beyond that is thrown away. */
  readonly queueBytes: number;
  /** When it is gone, in virtual time. */
  readonly untilMs: number;
}

/** A slower link on the way, with a small queue before it that drops what does not fit. */
export class Bottleneck {
  private readonly options: BottleneckOptions;
  private backlogBytes = 0;
  private lookedMs = 0;

  constructor(options: BottleneckOptions) {
    this.options = options;
  }

  /** Whether one datagram that comes at this time gets through. */
  takes(atMs: number, bytes: number): boolean {
    if (atMs >= this.options.untilMs) return true;
    const { mbps, queueBytes } = this.options;
    this.backlogBytes = Math.max(0, this.backlogBytes - ((atMs - this.lookedMs) * mbps * 1000) / 8);
    this.lookedMs = atMs;
    if (this.backlogBytes + bytes > queueBytes) return false;
    this.backlogBytes += bytes;
    return true;
  }

  /** How long what has got through now still waits in the queue, in milliseconds. */
  get delayMs(): number {
    return wireMs(this.backlogBytes, this.options.mbps);
  }
}
