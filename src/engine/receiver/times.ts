/** Times and shares of a receiver (PROTOCOL.md 5.3), and why they are as they are. */

/* "The simulator" is test/simulation/scale.ts: a line of 1 Gbit/s, members that lose 1 % each. */

/**
 * A gap is reported after this delay, in case the network only changed the order: within a local network two
 * datagrams overtake each other by microseconds. It also joins the gaps of two milliseconds in one report. With
 * half a millisecond, four members say four times as much in the simulator; with 6 ms half as much, but the last
 * repair of a small transfer comes that much later.
 */
export const GAP_DELAY_MS = 2;

/**
 * Where there are many members, so much for the cube root of the spread comes on top: the first few reports have
 * asked for most of what others miss as well, and it is mostly there by then. With 1 ms in place of 4, a hundred
 * members say nearly twice as much in the simulator and 400 overrun the sender's socket; with 8 ms, sixteen take 4
 * % longer.
 */
export const GAP_SPREAD_MS = 4;

/**
 * A gap that stays is reported again after this time, and the time that comes on top. The repair is to arrive
 * before, after all that waits at the sender. With 5 ms, four members take a tenth longer in the simulator; 40 ms do
 * as well there, because the sender polls before.
 */
export const GAP_REPEAT_MS = 15;

/**
 * However little arrives, a member reports after this time: a fifth of the silence after which its sender drops it,
 * so that four reports may get lost.
 */
export const REPORT_AT_LEAST_MS = 1_000;

/**
 * A member reports when it has used up this share of its window or its socket buffer. A few members take a quarter,
 * so that the window stays open where a report or two get lost. (With a tenth, four members take 3 % longer in the
 * simulator; one half is enough where no report gets lost.) Very many take most of it, and less by a random
 * part, so that they do not all speak at once. The rest is time for the sender to ask those whose report got lost:
 * with 95 %, a thousand members take twice as long in the simulator. In between the share
 * grows fast, with the square root of the spread: one process reads what all of them say, and a dozen should not
 * cost it much more than a few.
 */
export const FEW_REPORT_SHARE = 0.25;
export const MANY_REPORT_SHARE = 0.8;

/**
 * The spread from which on members are very many: 308 of them. It was chosen against the rule that the feedback of a
 * thousand stays below 2 % of the data. From 20 to 180 ms the simulator shows no clear difference.
 */
export const MANY_SPREAD_MS = 60;

/**
 * An answer to a manifest block that the sender has not confirmed is sent again after this time, and twice the
 * spread. The sender confirms it when the slowest member has answered, so that it is no sign of loss yet: it only
 * must not come often. The number was chosen without measuring; a poll by name makes the answer come at once in any
 * case.
 */
export const WANT_REPEAT_MS = 40;

/**
 * So many members answer an ORDER at once, and say at once that they are done: as many as a sender asks by name,
 * because its socket takes so many answers in one moment.
 */
export const ORDERED_AT_ONCE = 64;

/**
 * A disk that has shown no sign for this long, while it has a transfer that was given up, is taken for one that hangs.
 * It is somewhat less than the five minutes after which senders give up such a member, so that the next push is not
 * taken. Removing what a large transfer has left takes a minute or two.
 */
export const DISK_HUNG_MS = 240_000;

/**
 * An offer that waits is forgotten when it was not repeated for this long. Its sender repeats it every quarter of a
 * second, so a dozen of them have got lost by then, or the sender is gone.
 */
export const OFFER_SILENCE_MS = 3_000;

/**
 * A transfer whose sender is not heard for this long is thrown away. A sender drops a silent member after 5 s, so
 * it has given up first in any case. It is not longer, because a sender that is lost between ORDER and COMMIT holds
 * up later transfers for this long (PROTOCOL.md 5.7).
 */
export const SENDER_SILENCE_MS = 15_000;

/**
 * A member that has a place and hears nothing of the sender for this long asks the others whether COMMIT was said. A
 * sender speaks every 500 ms then, so one of its messages may get lost without a question.
 */
export const QUERY_AFTER_MS = 1_000;

/**
 * The question is repeated after this time, and twice the spread of all members: their answers have come by then. With
 * a fifth of all datagrams lost, one of the twelve questions of ORPHANED_MS stays without an answer with a chance of one
 * in a hundred thousand.
 */
export const QUERY_REPEAT_MS = 250;

/**
 * A transfer that has a place is thrown away this long after its sender has left. Later transfers wait meanwhile. Before
 * that, twelve questions are asked.
 */
export const ORPHANED_MS = 3_000;
