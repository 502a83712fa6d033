/** Who sends packets under keys that this node does not accept. */

/**
 * Most addresses that are remembered. A wrong change of the key concerns the hosts of a fleet; more are mostly invented, and
 * the rest are still counted.
 */
const SOURCES = 256;

/** A source that has not been heard for so long is gone: nodes introduce themselves every 20 s at the latest. */
const GONE_MS = 60_000;

/** Packets under another key from one address. */
export interface ForeignSource {
  readonly ip: string;
  /** The node id that the last of them named. Anybody can write it there: nothing proves it. */
  readonly nodeId: string;
  readonly packets: number;
  readonly lastMs: number;
}

/** The addresses that packets under other keys came from, those heard last at the end. */
export class ForeignSources {
  private readonly sources = new Map<string, ForeignSource>();

  /** A packet did not open under any key. */
  note(ip: string, nodeId: string, nowMs: number): void {
    const packets = (this.sources.get(ip)?.packets ?? 0) + 1;
    this.sources.delete(ip);
    this.sources.set(ip, { ip, nodeId, packets, lastMs: nowMs });
    if (this.sources.size <= SOURCES) return;
    const [oldest = ""] = this.sources.keys();
    this.sources.delete(oldest);
  }

  /** A node at this address has proven that it has a key of this fleet now. */
  forget(ip: string): void {
    this.sources.delete(ip);
  }

  /** Those that were heard lately, the last one first. */
  present(nowMs: number): readonly ForeignSource[] {
    return [...this.sources.values()].filter(({ lastMs }) => nowMs - lastMs < GONE_MS).reverse();
  }
}
