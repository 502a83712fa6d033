/** Times of membership in milliseconds (PROTOCOL.md 4). */

/** ALIVE is sent every 15 s, a third more or less. */
export const ALIVE_INTERVAL_MS = 15_000;
export const ALIVE_JITTER = 1 / 3;

/** A member unheard for this long is gone. */
export const SILENCE_MS = 60_000;

/** So often a node looks for members that are silent. */
export const LOOK_MS = 5_000;

/** HELLO is sent at the start and again at these times, because a datagram may be lost. */
export const HELLO_AT_MS = [0, 300, 1_000, 3_000] as const;

/** A newcomer is questioned after a random delay up to this, longer the more members there are. */
export const CHALLENGE_DELAY_MS = 20;
export const CHALLENGE_DELAY_PER_MEMBER_MS = 0.5;

/** An unanswered CHALLENGE is repeated after this time, and given up after so many. */
export const CHALLENGE_RETRY_MS = 400;
export const CHALLENGE_TRIES = 6;
