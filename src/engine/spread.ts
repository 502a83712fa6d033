/** How members share the way back to the sender (PROTOCOL.md 5.4). */

/**
 * Five members speak in each millisecond, so a sender that takes 0.02 ms for a STATUS has nine tenths of its time
 * for other things. With a quarter of it, 1,000 members in the simulator overrun a socket that holds 256 STATUS;
 * with four times as much, 100 members take a tenth longer.
 */
const SPREAD_PER_MEMBER_MS = 0.2;

/** So many members speak at once without doing any harm, and the answer of each comes sooner for it. */
const SPREAD_FREE_MEMBERS = 8;

/** The time over which so many members spread their answers, in milliseconds. */
export function spreadMs(members: number): number {
  const spread = Math.max(0, members - SPREAD_FREE_MEMBERS) * SPREAD_PER_MEMBER_MS;
  return Math.min(0xffff, Math.ceil(spread));
}

/**
 * Before the first block and after the last one, many members answer within this share of the time over which other answers
 * are spread: the sender has nothing else to read and to send then, and all wait for the last of them. It takes four times as
 * many answers. Without it, a transfer to 1,000 members in the simulator takes 0.8 s longer.
 */
const QUIET_SHARE = 0.25;

/** The time over which members spread answers before the first block and after the last one, in milliseconds. */
export function quietSpreadMs(spread: number): number {
  return spread * QUIET_SHARE;
}
