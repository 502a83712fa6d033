/** Times of a receiver in milliseconds (PROTOCOL.md 5). */

/**
 * A gap is reported after this delay, in case the network only changed the order. Where there are many members,
 * some time comes on top, so much for the cube root of the spread: what others miss as well is mostly there before
 * that has passed.
 */
export const GAP_DELAY_MS = 2;
export const GAP_SPREAD_MS = 4;

/** A gap that stays is reported again after this time, and the time that comes on top. */
export const GAP_REPEAT_MS = 15;

/** However little arrives, a member reports after this time, so that it is known to be there. */
export const REPORT_AT_LEAST_MS = 1_000;

/**
 * A member reports when it has used up this share of its window or its socket buffer. With many members it is the
 * larger one, and less than that by a random part, so that they do not all speak at once. In between it grows fast: what
 * all of them say is read by one, and a dozen of them should not cost it much more than a few.
 */
export const FEW_REPORT_SHARE = 0.25;
export const MANY_REPORT_SHARE = 0.95;
/** The spread from which on members are very many. */
export const MANY_SPREAD_MS = 60;

/** An answer to a manifest block that the sender has not confirmed is sent again after this time. */
export const WANT_REPEAT_MS = 40;

/** So many members answer an ORDER at once, and say so that they are done; more of them answer an ORDER over this share of the time that other answers are. */
export const ORDERED_AT_ONCE = 64;
export const ORDER_SPREAD_SHARE = 0.25;

/** A transfer whose sender is not heard for this long is thrown away. */
export const SENDER_SILENCE_MS = 15_000;
