/** What the sockets of the group let in. */
import { DatagramType } from "../wire/datagram.ts";

/** Where the type stands in a datagram (PROTOCOL.md 2). */
const TYPE_POSITION = 2;

/** What the two sockets of a group let in, where there are two. */
export const FRAGMENTS_ALONE = {
  position: TYPE_POSITION,
  value: DatagramType.fragment,
  isWanted: true,
} as const;
export const NO_FRAGMENTS = { ...FRAGMENTS_ALONE, isWanted: false } as const;
