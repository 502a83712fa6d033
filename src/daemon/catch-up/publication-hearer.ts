/** The two sides between pushes and the log of publications. */
import type { PushedBy, SendRequest, SendResult } from "../../console/protocol.ts";
import type { Member, TransferResult } from "../../engine/types.ts";
import type { Publication } from "../../wire/publication.ts";
import type { NamedList, SourceRules, SourceTotals } from "../disk/messages.ts";

/** Hears of the pushes that others may have to catch up with. */
export interface PublicationHearer {
  /**
   * A push begins.
   *
   * @param request its paths are below the base directory
   * @returns what it tells its members of itself
   */
  begin(
    transfer: number,
    request: SendRequest,
    rules: SourceRules,
    by: PushedBy | undefined,
    members: readonly Member[],
  ): Pick<SourceRules, "origin" | "list">;
  /**
   * A push begins to be taken back.
   *
   * @returns what the transfer tells its members of itself
   */
  beginUndo(transfer: number, undone: Publication, by: PushedBy | undefined): Pick<SourceRules, "origin">;
  /** It has ended. */
  end(transfer: number, result: TransferResult, totals: SourceTotals): void;
  /** Whether a member gets by itself what it has missed. */
  catchesUp(epoch: string): boolean;
}

/** A transfer that brings to members what they have missed. */
export interface ServedTransfer {
  readonly result: SendResult;
  readonly totals: SourceTotals;
}

/** Carries out the transfers that bring what members have missed. */
export interface TransferServer {
  serve(
    members: readonly Member[],
    request: SendRequest,
    rules: SourceRules,
    onStart: (transfer: number) => void,
    signal: AbortSignal,
  ): Promise<ServedTransfer>;
  /** A later publication has taken effect here, so that such a transfer need not bring its paths. */
  supersede(transfer: number, list: NamedList): void;
}
