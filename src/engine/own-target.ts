/** What passes between the engine and the program about a transfer that changes the tree of its own sender. */
import type { Endpoint } from "../wire/membership-messages.ts";
import type { InboundKey } from "./types.ts";

/** The sender of a transfer as one of its hosts. */
export interface OwnTarget {
  readonly epoch: string;
  readonly hostName: string;
  readonly address: Endpoint;
}

/** The sender has begun to stage its own part of a transfer, or has ended with it, as for a transfer that it receives. */
export type OwnStageEvent =
  | { readonly kind: "own-stage-began"; readonly key: InboundKey; readonly hostName: string }
  | {
      readonly kind: "own-stage-ended";
      readonly key: InboundKey;
      readonly outcome: "done" | "failed";
      /** Empty when done. */
      readonly reason: string;
    };
