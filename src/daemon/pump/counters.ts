/** Counts the datagrams that were dropped: hostile, foreign or damaged ones. */
export class Counters {
  /** Not of this protocol, or damaged. */
  malformed = 0;
  /** The address that the last malformed datagram came from; empty before the first. */
  lastMalformedSource = "";
  /** Of another version of the protocol. */
  otherVersion = 0;
  /** Sealed with another key, or damaged on the way. */
  foreign = 0;
  /** Control messages that were received before. */
  replayed = 0;
  /** Control messages of unknown nodes that were not opened, because many such came from one source. */
  unexamined = 0;
  /** Blocks that did not open: a fragment was forged or damaged. They are fetched again. */
  spoiled = 0;
  /** The address that the last foreign datagram came from; empty before the first. */
  lastForeignSource = "";

  /** A datagram from this address is not of this protocol, or damaged. */
  noteMalformed(ip: string): void {
    this.malformed++;
    this.lastMalformedSource = ip;
  }
}
