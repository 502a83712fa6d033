/** How members share the way back to the sender (PROTOCOL.md 5.4). */

const SPREAD_PER_MEMBER_MS = 0.2;
const SPREAD_FREE_MEMBERS = 8;

/** The time over which so many members spread their answers, in milliseconds: five of them speak in each. */
export function spreadMs(members: number): number {
  const spread = Math.max(0, members - SPREAD_FREE_MEMBERS) * SPREAD_PER_MEMBER_MS;
  return Math.min(0xffff, Math.ceil(spread));
}
