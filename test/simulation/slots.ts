import type { NodeEngine } from "../../src/engine/node.ts";
import { fragmentCount, type FragmentHeader, isParity } from "../../src/wire/datagram.ts";
import type { WireBlock } from "./source-driver.ts";

/** What lies in a place: a fragment or parity fragment of a block, by its index; of no block if nobody has sealed it. */
interface Part {
  readonly index: number;
  readonly content: WireBlock | undefined;
}

/** The fragments of incoming blocks, as they lie in the memory of a host: what comes later takes the place of what came before. */
export class Slots {
  private readonly windowBlocks: number;
  private readonly contents = new Map<string, Map<string, Part>>();

  constructor(windowBlocks: number) {
    this.windowBlocks = windowBlocks;
  }

  /** A fragment arrives; parity may have to make room for it. */
  arrive(
    name: string,
    { block, index }: Pick<FragmentHeader, "block" | "index">,
    content: WireBlock | undefined,
    places: NonNullable<NodeEngine["fragmentPlaces"]>,
  ): void {
    for (const { from, to } of places.moves) this.move(name, block, from, to);
    this.put(name, block, places.placeOf(block, index), { index, content });
  }

  /** @param place the index of the fragment in whose place it lies */
  private put(name: string, block: number, place: number, part: Part): void {
    const slots = this.contents.get(name) ?? new Map<string, Part>();
    this.contents.set(name, slots);
    slots.set(this.slotOf(block, place), part);
  }

  /** Parity makes room for a fragment. */
  private move(name: string, block: number, from: number, to: number): void {
    const part = this.contents.get(name)?.get(this.slotOf(block, from));
    if (part !== undefined) this.put(name, block, to, part);
  }

  /**
   * The seal opens only if every fragment is the sender's, of this very block. Parity does for any fragment that is missing, but
   * the same parity only for one.
   */
  open(name: string, block: number, sealedBytes: number): WireBlock | undefined {
    const slots = this.contents.get(name);
    const parts = Array.from({ length: fragmentCount(sealedBytes) }, (_, place) => {
      const part = slots?.get(this.slotOf(block, place));
      return part?.index === place || (part !== undefined && isParity(part.index)) ? part : undefined;
    });
    const first = parts[0]?.content;
    const isWhole = new Set(parts.map((part) => part?.index)).size === parts.length;
    return isWhole && parts.every((part) => part?.content === first) ? first : undefined;
  }

  forget(name: string): void {
    this.contents.delete(name);
  }

  private slotOf(block: number, place: number): string {
    return `${block % this.windowBlocks}/${place}`;
  }
}
