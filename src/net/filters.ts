/** Which datagrams the kernel queues at the two sockets of the group. */
import { DatagramType } from "../wire/datagram.ts";

/** Where the type stands in a datagram (PROTOCOL.md 2). */
const TYPE_POSITION = 2;

/** The filters of the socket for fragments, and of the group socket beside it. */
export const FRAGMENTS_ALONE = {
  position: TYPE_POSITION,
  value: DatagramType.fragment,
  isWanted: true,
} as const;
export const NO_FRAGMENTS = { ...FRAGMENTS_ALONE, isWanted: false } as const;
