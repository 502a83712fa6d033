/** Times of membership in milliseconds (PROTOCOL.md 4), and why they are as long as they are. */

/**
 * How often a node says ALIVE, a third more or less at random. That is three to six times within the time of
 * silence, so some may get lost. A thousand nodes then send 67 messages a second, some 10 KB. The random part keeps
 * nodes apart that were started together.
 */
export const ALIVE_INTERVAL_MS = 15_000;
export const ALIVE_JITTER = 1 / 3;

/**
 * A member that was not heard for so long is gone. It bounds how long a dead one is offered transfers; each of
 * these drops it after 5 s by itself (MEMBER_SILENCE_MS of the sender), so this one may be patient.
 */
export const SILENCE_MS = 60_000;

/**
 * How often a node looks for silent members. It may notice silence that much late, which is little beside the
 * silence.
 */
export const LOOK_MS = 5_000;

/**
 * When HELLO is said after the start. At once, so that a push can follow within a second; then again, because a
 * datagram may be lost, and because a switch may take some seconds before it lets the group through to a new port.
 */
export const HELLO_AT_MS = [0, 300, 1_000, 3_000] as const;

/**
 * A node that was heard for the first time is questioned after a random time of up to this, and so much more for each
 * member. All members hear of it in the same moment. With a thousand of them their challenges then come two in a
 * millisecond, which the usual socket buffer and one process take.
 */
export const CHALLENGE_DELAY_MS = 20;
export const CHALLENGE_DELAY_PER_MEMBER_MS = 0.5;

/**
 * When a challenge without an answer is said again, and how often it is said. 400 ms are far more than a round trip
 * on a local network. Six of them bridge 2.4 s; after that the next HELLO or ALIVE begins again.
 */
export const CHALLENGE_RETRY_MS = 400;
export const CHALLENGE_TRIES = 6;

/**
 * A member whose HELLO and ALIVE have not arrived for so long is asked, before it counts as silent. It has said ALIVE at least
 * twice in that time.
 */
export const ASK_MS = 45_000;

/**
 * A problem that was not noticed for so long is over. It is longer than the time between two ALIVE of a node, and than that
 * between two questions to a member.
 */
export const PROBLEM_MS = 60_000;
