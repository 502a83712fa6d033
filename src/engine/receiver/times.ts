/** Times of a receiver in milliseconds (PROTOCOL.md 5). */

/** A gap is reported after this delay, in case the network only changed the order. */
export const GAP_DELAY_MS = 2;

/** A gap that stays is reported again after this time. */
export const GAP_REPEAT_MS = 15;

/** An answer to a manifest block that the sender has not confirmed is sent again after this time. */
export const WANT_REPEAT_MS = 40;

/** A transfer whose sender is not heard for this long is thrown away. */
export const SENDER_SILENCE_MS = 15_000;
