/** The times of catching up. */

/** A log that has changed is told after so long: the transfer that has changed it has ended at all members by then. */
export const TELL_MS = 700;

/** Members tell it at random times up to this much later. Those that hear the same from another one first say nothing. */
export const TELL_SPREAD_MS = 600;

/**
 * It is told again after so long. A network that was cut for a short time shows no newcomer when it is whole again: its two halves
 * hear of each other's pushes by this alone. Members that have the same log say so only once together.
 */
export const TELL_AGAIN_MS = 3_000;

/** It is told again for so long. By then, a member that did not hear the change because it was cut off has been silent. */
export const TELL_FOR_MS = 24_000;

/** A member that lacks something is told for so long: twice, since packets may be lost. */
export const REMIND_FOR_MS = 4_500;

/** A member that was not heard for so long is silent: longer than the longest time between two ALIVE (20 s). */
export const SILENT_MS = 22_000;

/** A silent member that is heard again is told for so long still: three times, since packets may be lost. */
export const BACK_MS = 10_000;

/** If so large a part of the members was silent at the same time, it may be this node that has heard nothing. */
export const MANY_SILENT = 1 / 4;

/**
 * It is told no longer than this: by then, a member that was cut off at the change has left, and is a newcomer when it is back. One of
 * which only unicast arrives would be silent for ever.
 */
export const TELL_MOST_MS = 90_000;

/** A node tells its own state so often before it leaves it to others to tell the same log: packets may be lost. */
export const TOLD_TIMES = 2;

/** A log that differs is looked at after so long, in case a push is just ending. */
export const COMPARE_MS = 300;

/** Without a piece of a log for so long, it is asked for again; after so many times, another member is. */
export const PIECE_RETRY_MS = 400;
export const PIECE_TRIES = 5;

/**
 * A member that has not answered is asked again after so long, unless it tells its log before; each further time it takes twice as
 * long, up to the last. It is a member, so it is heard: what does not arrive may be its single packets, for as long as that lasts.
 */
export const READ_AGAIN_MS = 2_000;
export const READ_AGAIN_MOST_MS = 10 * 60_000;

/**
 * A member that has told no log is told this node's own after so long, and asked for its own; then after twice as long, and so on. Both
 * words of the beginning got lost, or it keeps none and says so. It ends after so many times, a quarter of an hour.
 */
export const UNHEARD_MS = 2_000;
export const UNHEARD_TRIES = 9;

/** A member is told so often to catch up, at this distance, unless it answers. */
export const NUDGE_MS = 500;
export const NUDGE_TRIES = 6;

/** Those who ask to be served are gathered for so long, and longer as long as more come, so that all get one transfer. */
export const GATHER_MS = 600;
export const GATHER_MOST_MS = 2_500;

/** A member that has joined so lately may be about to ask, or belong to several that come up together. A busy host takes some seconds. */
export const NEWCOMER_MS = 30_000;

/**
 * A member that is behind, and has the same log, asks within this time, and the question arrives; then it has asked another one. If both
 * halves of a network have pushed, everybody is behind, and not all ask the same.
 */
export const ELSEWHERE_MS = 2_500;

/** Its first LOG arrives within this time, or it keeps no log. */
export const FIRST_LOG_MS = 5_000;

/** If hosts come up together, the next one may come so long after the last one, up to so long after the first one. */
export const TOGETHER_MS = 2_500;
export const TOGETHER_MOST_MS = 10_000;

/** A host comes together with another one that has asked so short a time ago. */
export const TOGETHER_FOR_MS = 5_000;

/** A node that has just started itself may have come up together with the others. */
export const STARTING_MS = 10_000;

/** Nodes have left together if it was within this time: silence is noticed at times that differ by up to 10 s. */
export const LEFT_TOGETHER_MS = 30_000;

/** A question is asked again after so long without an answer, and so often in all before another member is asked. */
export const ASK_AGAIN_MS = 500;
export const ASK_TRIES = 3;

/** After a transfer, the word of its sender arrives within this time, or it is lost. */
export const ANSWER_MS = 1_500;

/** A member that has agreed to serve begins within this time, or another one is asked: it may have pushes of its own first. */
export const SERVE_MS = 30_000;

/** An attempt that failed is repeated after so long; each further one takes twice as long, up to the last. */
export const PATIENCE_MS = 60_000;
export const PATIENCE_MOST_MS = 60 * 60_000;

/** Until it begins, it is asked again so often whether it is still there: it may have died since. */
export const PROMISE_MS = 2_000;

/** An attempt that another push has interrupted is repeated after so long: a member that has that push knows it by then. */
export const SOON_MS = 300;

/** Each further one takes twice as long, up to this: where others push all the time, a large transfer may be in vain often. */
export const SOON_MOST_MS = 5_000;

/** After what was brought, the log is written before the next question: so long is much for that. */
export const WRITTEN_MS = 200;

/** So many attempts follow each other at once if only the word of the sender is missing. */
export const LOST_WORDS = 3;

/** An area that a crash has left is looked at so often: a transfer that is going on may be in its way for a moment. */
export const AREA_LOOK_MS = 500;

/**
 * It is kept for so long for somebody who knows whether its transfer was committed. Servers that have lost their power together are up
 * again by then, and it takes space meanwhile.
 */
export const AREA_MOST_MS = 10 * 60_000;

/**
 * It is kept for so long if its sender is there, and its log does not have the transfer. That may be going on still: the sender waits for
 * 15 s for a member that has died, and as long again for one that dies with it.
 */
export const AREA_SENDER_MS = 60_000;

/** So many members are asked in one attempt: those that are likely to serve come first, and an attempt has an end. */
export const MOST_ASKED = 8;
