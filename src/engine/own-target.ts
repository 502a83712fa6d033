/** The sender of a transfer that changes its own tree as well. */
import type { Endpoint } from "../wire/membership-messages.ts";

/** The sender of a transfer as one of its hosts. */
export interface OwnTarget {
  readonly epoch: string;
  readonly hostName: string;
  readonly address: Endpoint;
}
