import type { Effect, Input } from "../../src/engine/types.ts";
import type { SourceDriver } from "./source-driver.ts";

const NOTHING = { blocks: [], state: "end", failure: undefined, unreadable: 0 } as const;

/** Reads the tree for the transfers of one host; while a commit is under way, all of that waits, as in the daemon. */
export class ReadingThread {
  private readonly sources = new Map<number, SourceDriver>();
  private readonly isAlive: () => boolean;
  /** Commits that are under way. */
  private holds = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(isAlive: () => boolean) {
    this.isAlive = isAlive;
  }

  get size(): number {
    return this.sources.size;
  }

  get(transfer: number): SourceDriver | undefined {
    return this.sources.get(transfer);
  }

  /** Those of some transfers that are going on. */
  all(transfers: readonly number[]): SourceDriver[] {
    return transfers.flatMap((transfer) => this.sources.get(transfer) ?? []);
  }

  open(transfer: number, make: () => SourceDriver): void {
    this.whenFree(() => this.sources.set(transfer, make()));
  }

  /** @param answer is told what was made, also about a transfer that is over by then */
  produce(
    transfer: number,
    firstBlock: number,
    count: number,
    answer: (produced: Extract<Input, { kind: "produced" }>, source: SourceDriver | undefined) => void,
  ): void {
    this.whenFree(() => {
      const source = this.sources.get(transfer);
      const nothing = { kind: "produced", transfer, ...NOTHING } as const;
      answer(source?.produce(transfer, firstBlock, count) ?? nothing, source);
    });
  }

  settle(effect: Extract<Effect, { kind: "settle" }>): void {
    this.whenFree(() => this.sources.get(effect.transfer)?.settle(effect));
  }

  close(transfer: number): void {
    this.whenFree(() => {
      this.sources.get(transfer)?.close();
      this.sources.delete(transfer);
    });
  }

  /** The process ends. */
  closeAll(): void {
    for (const source of this.sources.values()) source.close();
  }

  hold(): void {
    this.holds++;
  }

  goOn(): void {
    if (--this.holds === 0) for (const work of this.waiting.splice(0)) this.whenFree(work);
  }

  private whenFree(work: () => void): void {
    if (this.holds > 0) this.waiting.push(work);
    else if (this.isAlive()) work();
  }
}
