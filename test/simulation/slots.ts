import { fragmentCount } from "../../src/wire/datagram.ts";
import type { WireBlock } from "./source-driver.ts";

/** The fragments of incoming blocks, as they lie in the memory of a host: what comes later takes the place of what came before. */
export class Slots {
  private readonly windowBlocks: number;
  private readonly contents = new Map<string, Map<string, WireBlock | undefined>>();

  constructor(windowBlocks: number) {
    this.windowBlocks = windowBlocks;
  }

  put(name: string, block: number, index: number, content: WireBlock | undefined): void {
    const slots = this.contents.get(name) ?? new Map<string, WireBlock | undefined>();
    this.contents.set(name, slots);
    slots.set(`${block % this.windowBlocks}/${index}`, content);
  }

  /** The seal opens only if every fragment is the sender's, of this very block. */
  open(name: string, block: number, sealedBytes: number): WireBlock | undefined {
    const slots = this.contents.get(name);
    const parts = Array.from({ length: fragmentCount(sealedBytes) }, (_, index) =>
      slots?.get(`${block % this.windowBlocks}/${index}`),
    );
    const [first] = parts;
    return parts.every((one) => one === first) ? first : undefined;
  }

  forget(name: string): void {
    this.contents.delete(name);
  }
}
