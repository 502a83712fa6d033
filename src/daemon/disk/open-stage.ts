/** A transfer of the writing thread that has not switched yet. */
import { Bitmap } from "../../base/bitmap.ts";
import type { Reason } from "../../base/reason.ts";
import type { InboundKey } from "../../engine/types.ts";
import type { StagePlan } from "../../tree/decide/planner.ts";
import type { StagedTransfer } from "./undo-areas.ts";

export interface OpenStage extends StagedTransfer {
  readonly inbound: InboundKey;
  /** The manifest block that is being compared, if that takes long. */
  planning?: Generator<undefined, StagePlan>;
  readonly failure: Reason | undefined;
  readonly key: Buffer;
}

/** Ends the comparison of a manifest block, if there is one. */
export function endPlanning(open: OpenStage): void {
  open.planning?.return({ wants: new Bitmap(0), differences: undefined });
  delete open.planning;
}
