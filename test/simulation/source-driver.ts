import { UserError } from "../../src/base/user-error.ts";
import type { Effect, Input, ProducedBlock } from "../../src/engine/types.ts";
import type { Change } from "../../src/tree/scan/cover.ts";
import { explain } from "../../src/tree/reasons/explain.ts";
import type { ScanRequest, ScanRules } from "../../src/tree/scan/request.ts";
import { type MadeBlock, Source } from "../../src/tree/scan/source.ts";
import { TAG_BYTES } from "../../src/wire/limits.ts";
import type { MemoryDisk } from "../disk/memory-disk.ts";
import { RULES } from "./stage-driver.ts";

/** A block on the simulated wire: its fragments carry the block itself, and a seal opens where all are of one. */
export interface WireBlock {
  readonly kind: number;
  readonly plaintext: Uint8Array;
  readonly sealedBytes: number;
}

/** Calls a source in the order in which the daemon's source thread (src/daemon/disk/source-thread.ts) calls it. */
export class SourceDriver {
  private readonly source: Source | undefined;
  private readonly failure: string | undefined;
  private readonly workspace: Uint8Array;
  /** The blocks that were made, by their numbers. */
  readonly blocks: WireBlock[] = [];

  /** @param blockBytes bounds blocks, so that there are many of them */
  constructor(
    disk: MemoryDisk,
    request: ScanRequest,
    options: { rules: ScanRules; dryRun: boolean },
    blockBytes: number,
  ) {
    this.workspace = new Uint8Array(blockBytes);
    try {
      const all = { ...options, tellsDigests: true };
      this.source = new Source("/", RULES.owners, request, all, undefined, disk);
    } catch (error) {
      this.failure = error instanceof UserError ? error.message : explain(error);
    }
  }

  produce(transfer: number, firstBlock: number, count: number): Extract<Input, { kind: "produced" }> {
    const { source } = this;
    const blocks: ProducedBlock[] = [];
    let { failure } = this;
    let made: MadeBlock | undefined;
    while (failure === undefined && source !== undefined && blocks.length < count) {
      try {
        made = source.makeBlock(firstBlock + blocks.length, this.workspace);
      } catch (error) {
        failure = error instanceof UserError ? error.message : `the tree cannot be read: ${explain(error)}`;
        made = undefined;
      }
      if (made === undefined) break;
      const { kind, bytes, entries } = made;
      const sealedBytes = bytes + TAG_BYTES;
      this.blocks[firstBlock + blocks.length] = {
        kind,
        plaintext: this.workspace.slice(0, bytes),
        sealedBytes,
      };
      blocks.push({ kind, sealedBytes, entries });
    }
    const isMore = made !== undefined || source?.isBusy === true;
    const state = source?.isEnded === true ? "end" : isMore ? "more" : "idle";
    return { kind: "produced", transfer, blocks, state, failure, unreadable: source?.unreadable ?? 0 };
  }

  settle(effect: Extract<Effect, { kind: "settle" }>): void {
    this.source?.settle(effect.block, effect);
  }

  /** A path that a transfer which stands before this one would change. */
  conflictWith(changes: Iterable<Change>): string | undefined {
    return this.source?.cover.conflictWith(changes);
  }

  close(): void {
    this.source?.close();
  }
}
