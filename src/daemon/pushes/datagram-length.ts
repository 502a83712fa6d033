/** Chooses the length of the datagrams of a transfer. */
import type { Member } from "../../engine/types.ts";
import { DATAGRAM_BYTES } from "../../wire/limits.ts";

/** The version of the protocol that brought fragments of other lengths than the usual one. */
const SHORTER_PROTOCOL = 3;

/**
 * The length of the datagrams of a transfer: the longest that goes over the interfaces of all members in one packet. Members
 * that speak version 2 understand the usual length alone. Over a network with shorter packets, IP divides it for them
 * (PROTOCOL.md 2).
 *
 * @param ownBytes the longest datagram of this node
 */
export function datagramBytesFor(members: readonly Pick<Member, "info">[], ownBytes: number): number {
  if (members.some(({ info }) => info.protocol < SHORTER_PROTOCOL)) return DATAGRAM_BYTES;
  return Math.min(ownBytes, ...members.map(({ info }) => info.datagramBytes ?? DATAGRAM_BYTES));
}
