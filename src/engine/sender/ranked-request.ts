/** A request to send, with the place of its transfer among those that are to be admitted. */
import type { TransferRequest } from "../types.ts";

/** A request to send, with its rank (PROTOCOL.md 5.10). */
export interface RankedRequest extends TransferRequest {
  readonly rank: number;
}
