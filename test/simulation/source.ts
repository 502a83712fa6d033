import type { Bitmap } from "../../src/base/bitmap.ts";
import { BlockKind, FRAGMENT_PAYLOAD_BYTES } from "../../src/wire/datagram.ts";
import type { ProducedBlock } from "../../src/engine/types.ts";
import type { BlockContent, SimulatedEntry } from "./disk.ts";

const ENTRIES_PER_BLOCK = 5;
const PIECES_PER_BLOCK = 6;
const MANIFESTS_AHEAD = 3;

/** A simulated source: manifest blocks a few ahead of the data, as the real reader does it. */
export class SimulatedSource {
  private readonly entries: readonly SimulatedEntry[];
  private nextEntry = 0;
  private readonly unsettled = new Map<number, number>();
  private readonly pieces: { entry: number; piece: number }[] = [];

  constructor(entries: readonly SimulatedEntry[]) {
    this.entries = entries;
  }

  produce(firstBlock: number, count: number, keep: (block: number, content: BlockContent) => void) {
    const blocks: ProducedBlock[] = [];
    while (blocks.length < count) {
      const content = this.next(firstBlock + blocks.length);
      if (content === undefined) break;
      keep(firstBlock + blocks.length, content);
      const isManifest = content.kind === "manifest";
      blocks.push({
        kind: isManifest ? BlockKind.manifest : BlockKind.data,
        sealedBytes:
          100 + FRAGMENT_PAYLOAD_BYTES * (isManifest ? content.entries.length : content.pieces.length * 6),
        entries: isManifest ? content.entries.length : 0,
      });
    }
    return { blocks, state: this.state(blocks.length === count) };
  }

  settle(block: number, union: Bitmap): void {
    const firstEntry = this.unsettled.get(block)!;
    this.unsettled.delete(block);
    for (let index = 0; index < union.size; index++) {
      if (!union.get(index)) continue;
      const entry = firstEntry + index;
      const pieces = this.entries[entry]!.pieces;
      for (let piece = 0; piece < pieces; piece++) this.pieces.push({ entry, piece });
    }
  }

  private state(isFull: boolean): "more" | "idle" | "end" {
    if (this.pieces.length === 0 && this.nextEntry === this.entries.length && this.unsettled.size === 0)
      return "end";
    return isFull ? "more" : "idle";
  }

  private next(block: number): BlockContent | undefined {
    if (this.nextEntry < this.entries.length && this.unsettled.size < MANIFESTS_AHEAD) {
      const firstEntry = this.nextEntry;
      const entries = this.entries.slice(firstEntry, firstEntry + ENTRIES_PER_BLOCK);
      this.nextEntry += entries.length;
      this.unsettled.set(block, firstEntry);
      return { kind: "manifest", firstEntry, entries };
    }
    if (this.pieces.length === 0) return undefined;
    return { kind: "data", pieces: this.pieces.splice(0, PIECES_PER_BLOCK) };
  }
}
