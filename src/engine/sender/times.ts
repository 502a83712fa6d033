/** Times and numbers of a sender (PROTOCOL.md 5), and why they are as they are. */

/* "The simulator" is test/simulation/scale.ts: a line of 1 Gbit/s, members that lose 1 % each. */

/**
 * Members are polled when the transfer has made no progress for this long, and then again after twice the time, up to the
 * most. With 30 ms, sixteen members take a fifth longer in the simulator; with 3 ms nearly nothing is gained, and a
 * busy host would be asked before its answer can have come. The most is far below MEMBER_SILENCE_MS: twenty polls
 * have to get lost before a member counts as silent.
 */
export const POLL_FIRST_MS = 10;
export const POLL_MOST_MS = 250;

/**
 * So many of the members that hold up the others are asked by name, all at once. A socket buffer of Linux's default
 * size holds some 256 STATUS: their answers fill a quarter of it. With 16 in place of 64, a hundred members take 5
 * % longer in the simulator.
 */
export const ASKED_BY_NAME = 64;

/**
 * If more than this share of all members hold up the others, all are asked instead. Nearly all have lost the
 * same then, such as the last fragments, and most of their reports are on their way. A quarter was chosen without
 * measuring.
 */
export const COMMON_SHARE = 0.25;

/**
 * However many are asked by name, all are asked after this time and the spread. Each has to be heard of, because
 * one that is silent for MEMBER_SILENCE_MS is dropped: that leaves it four polls.
 */
export const ASK_ALL_MS = 1_000;

/**
 * A member that has not answered for this long is taken out of the transfer. It has been asked some twenty times by
 * then. A process that is stopped for some seconds, by a slow disk or a full machine, is not dropped for that.
 */
export const MEMBER_SILENCE_MS = 5_000;

/**
 * The same for a member that was silent in an earlier transfer and has not been heard since. It has been asked some
 * seven times by then.
 */
export const STILL_SILENT_MS = 1_000;

/**
 * A member that misses blocks and receives no fragment for this long, of so many or more that were sent, is deaf to
 * multicast: it is asked by name, and its answers come, but no repair will ever reach it. Where every second fragment
 * gets lost, sixteen in a row do so once in 65,000 times; in five seconds far more than sixteen are sent.
 */
export const MEMBER_DEAF_MS = 5_000;
export const DEAF_FRAGMENTS = 16;

/**
 * A member that answers and makes no progress for this long is taken out, too. Five minutes are longer than the
 * kernel takes to write out what its memory holds, even to a slow disk; members that work on one large file say so
 * by themselves.
 */
export const MEMBER_STUCK_MS = 300_000;

/**
 * A source that does not answer for this long is given up. It answers after a few milliseconds of work, or when a disk
 * has read a piece of a file; the same time as for members is left to a disk that hangs.
 */
export const SOURCE_STUCK_MS = MEMBER_STUCK_MS;

/**
 * A member that has no room for this transfer is taken out after this time, if nothing that it receives makes progress.
 * It is longer than MEMBER_STUCK_MS, after which the senders of those transfers go on without it.
 */
export const MEMBER_FULL_MS = 2 * MEMBER_STUCK_MS;

/**
 * How often a sender looks for members that are lost; they are dropped that much late at most. While it is ordering
 * it polls all members at the same times, which PROTOCOL.md 5.7 promises. That the first look comes later was
 * chosen without measuring.
 */
export const LOOK_MS = 500;
export const FIRST_LOOK_MS = 1_000;

/**
 * A time between two ticks that means that this process stood still, not the members. A tick comes every LOOK_MS,
 * so twice that is no delay of a busy machine any more.
 */
export const STANDSTILL_MS = 1_000;

/**
 * Sends handed to the socket and not yet taken by it. One would leave the socket idle while the engine has other
 * things to do; four blocks are 2 ms at 1 Gbit/s. Fragments that wait in the socket can no longer be overtaken by a repair:
 * with 16, four members send half as many reports more in the simulator.
 */
export const PENDING_SENDS = 4;

/**
 * Blocks asked of the source at a time: half a megabyte, 4 ms at 1 Gbit/s, for one message to its thread and back.
 * In the simulator 2 are as good, but a message costs nothing there.
 */
export const PRODUCE_BLOCKS = 8;

/**
 * A member is asked again for its findings after this long: far longer than a disk takes to read them from memory.
 */
export const FINDINGS_REPEAT_MS = 200;

/**
 * So many members are asked for their findings at the same time. Each answers with eight messages of 1,440 bytes at
 * most: together 92 KB, which the smallest socket buffer takes.
 */
export const MEMBERS_READ_AT_A_TIME = 8;
