import { WIRE_FRAGMENT_BYTES } from "../simulation/link.ts";
import { measure, type ScaleFigures } from "../simulation/scale.ts";

/** What a push to very many members costs; such fleets are simulated, so these figures do not depend on the machine. */

export interface ScaleResult {
  readonly members: number;
  /** The share of the fragments that each member loses, by itself. */
  readonly loss: number;
  /** All bytes on the wire, repairs and feedback with them, for each byte that a push without loss sends. */
  readonly bytesShare: number;
  /** The time that it took, for each second that the link needs for everything that was sent. */
  readonly timeShare: number;
}

const CASES: readonly { readonly members: number; readonly loss: number }[] = [
  { members: 1000, loss: 0.01 },
  { members: 100, loss: 0.001 },
];
/** So much that a push's beginning and end do not count. */
const DATA_BYTES = 1_000_000_000;
const LINK_MBPS = 1000;
/** What a member's socket holds: 64 MiB, as the kernel counts it for a buffer of 32 MiB, in datagrams of 2,880 bytes. */
const SOCKET_FRAGMENTS: number = Math.floor((64 * 1024 * 1024) / 2880);

export function measureScale(): ScaleResult[] {
  return CASES.map(({ members, loss }) => {
    const figures: ScaleFigures = measure({
      seed: 1,
      members,
      loss,
      dataBytes: DATA_BYTES,
      linkMbps: LINK_MBPS,
      socketFragments: SOCKET_FRAGMENTS,
    });
    const { result, neededFragments, announcedBytes, feedbackBytes } = figures.fleet;
    const sentBytes: number = result.sentFragments * WIRE_FRAGMENT_BYTES + announcedBytes + feedbackBytes;
    return {
      members,
      loss,
      bytesShare: sentBytes / (neededFragments * WIRE_FRAGMENT_BYTES),
      timeShare: figures.virtualMs / figures.wireMs,
    };
  });
}
