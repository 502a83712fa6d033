/** What arrived and was not taken: hostile, foreign or damaged input is counted and dropped. */
export class Counters {
  /** Not of this protocol, or of another version of it. */
  malformed = 0;
  /** Sealed with another key, or damaged on the way. */
  foreign = 0;
  /** Seen before. */
  replayed = 0;
  /** Where the last foreign datagram came from. */
  lastForeignSource = "";
}
