/** The times of catching up. */

/** A log that has changed is told after so long: the transfer that has changed it has ended at all members by then. */
export const TELL_MS = 700;

/** Members tell it at random times up to this much later. Those that hear the same from another one first say nothing. */
export const TELL_SPREAD_MS = 600;

/**
 * It is told again after so long. A network that was cut for less than the silence of a member (60 s) shows no newcomer when it is
 * whole again. Members that have the same log say so only once together.
 */
export const TELL_AGAIN_MS = [
  4_000, 9_000, 16_000, 24_000, 32_000, 40_000, 48_000, 56_000, 64_000, 72_000,
] as const;

/** A log that differs is looked at after so long, in case a push is just ending. */
export const COMPARE_MS = 300;

/** Without a piece of a log for so long, it is asked for again; after so many times, another member is. */
export const PIECE_RETRY_MS = 400;
export const PIECE_TRIES = 5;

/** Those who ask to be served are gathered for so long, and longer as long as more come, so that all get one transfer. */
export const GATHER_MS = 600;
export const GATHER_MOST_MS = 2_500;

/** Without an answer for so long, another member is asked. */
export const ANSWER_MS = 1_500;

/** A member that has agreed to serve begins within this time, or another one is asked: it may have pushes of its own first. */
export const SERVE_MS = 30_000;

/** An attempt that failed is repeated after so long; each further one takes twice as long, up to the last. */
export const PATIENCE_MS = 60_000;
export const PATIENCE_MOST_MS = 60 * 60_000;

/** After what was brought, the log is written before the next question: so long is much for that. */
export const WRITTEN_MS = 200;

/** So many members are asked in one attempt: those that are likely to serve come first, and an attempt has an end. */
export const MOST_ASKED = 8;
