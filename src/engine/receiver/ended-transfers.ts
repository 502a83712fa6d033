/** How the last incoming transfers of a node have ended. */
import { REMEMBERED_TRANSFERS } from "../../wire/limits.ts";
import type { MemberPhase } from "../../wire/status-message.ts";
import { inboundName, type TransferName } from "../types.ts";

/** The last word on a transfer: what a STATUS says of it for ever after. */
export interface LastWord {
  readonly phase: MemberPhase;
  readonly reason: string;
}

/**
 * How the last incoming transfers have ended, for senders that did not hear the last word (PROTOCOL.md 5.7). A
 * transfer that is remembered is never opened a second time.
 */
export class EndedTransfers {
  /** Oldest first. */
  private readonly lastWords = new Map<string, LastWord>();

  of(key: TransferName): LastWord | undefined {
    return this.lastWords.get(inboundName(key));
  }

  /** Remembers a transfer, and forgets the oldest one where there are too many. */
  add(key: TransferName, lastWord: LastWord): void {
    this.lastWords.set(inboundName(key), lastWord);
    for (const oldest of this.lastWords.keys()) {
      if (this.lastWords.size <= REMEMBERED_TRANSFERS) break;
      this.lastWords.delete(oldest);
    }
  }
}
