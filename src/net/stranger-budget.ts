/** How much work a node does for nodes that it does not know. */

/** A key costs some 16 µs. With all places in use, 2,048 keys a second take 3 % of a processor. */
const KEYS_PER_SECOND = 8;

/**
 * Keys that a place may want at once. Each node of a fleet wants one of each other node when all start together; of the
 * largest fleet, 16 nodes share a place. Twice as many leave room for another start, or for two keys of each node while the
 * key of the fleet is changed. Each key that is tried counts, however many the key file has.
 */
const MOST_KEYS = 32;

/** A place for each value of the last byte of an address: hosts of one network have mostly different ones. */
const PLACES = 256;

/**
 * Bounds the keys that are derived for nodes whose key is not known. Anybody can send packets under new names, each of which
 * needs a key before it proves worthless. Each source has its share, so that one that sends much takes nothing from others.
 * Members need nothing from it: their keys are known.
 */
export class StrangerBudget {
  private readonly left = new Float64Array(PLACES).fill(MOST_KEYS);
  private readonly lastMs = new Float64Array(PLACES);

  /**
   * Takes the work of one key from the share of a source.
   *
   * @param ip where the packet came from
   * @param nowMs of a clock that only goes forward
   * @returns false if nothing is left of the share at this time
   */
  take(ip: string, nowMs: number): boolean {
    const place = Number(ip.slice(ip.lastIndexOf(".") + 1)) % PLACES;
    const grown = ((nowMs - (this.lastMs[place] as number)) / 1000) * KEYS_PER_SECOND;
    const left = Math.min(MOST_KEYS, (this.left[place] as number) + grown);
    this.lastMs[place] = nowMs;
    this.left[place] = left < 1 ? left : left - 1;
    return left >= 1;
  }
}
