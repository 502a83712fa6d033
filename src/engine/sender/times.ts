/** Times of a sender in milliseconds (PROTOCOL.md 5). */

/** After this long without anything to send, members are asked where they are; doubled each time up to the most. */
export const POLL_FIRST_MS = 10;
export const POLL_MOST_MS = 250;

/** So many of those that hold up the others are asked one by one; more would flood this node with answers. */
export const ASKED_BY_NAME = 64;
export const COMMON_SHARE = 0.25;
export const FIRST_LOOK_MS = 1_000;
export const LOOK_MS = 500;

/** However many are asked by name, all are asked after this time and the spread: each has to be heard of. */
export const ASK_ALL_MS = 1_000;

/** A member that has not answered for this long is taken out of the transfer. */
export const MEMBER_SILENCE_MS = 5_000;

/** A member that answers and does not get on for this long is taken out, too. */
export const MEMBER_STUCK_MS = 300_000;

/** A gap between two looks at the clock that means that this process stood still, not the members. */
export const STANDSTILL_MS = 1_000;

/** Sends handed to the socket and not yet finished. */
export const PENDING_SENDS = 4;

/** Blocks asked of the source at a time. */
export const PRODUCE_BLOCKS = 8;

/** A member is asked again for its findings after this long; so many members are asked at the same time. */
export const FINDINGS_REPEAT_MS = 200;
export const MEMBERS_READ_AT_A_TIME = 8;
