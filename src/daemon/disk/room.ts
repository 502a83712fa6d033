/** Makes room for a transfer of the writing thread: by what is going to be deleted anyway, then by what is kept of former files. */
import type { Spare, TransferRoom } from "../../tree/apply/stage-extras.ts";
import type { KeptAreas } from "./kept-areas.ts";
import type { LongWork } from "./long-work.ts";
import type { StagedTransfer, UndoKeeper } from "./undo-areas.ts";

/** The parts of the thread. */
export interface RoomParts {
  /** Transfers that have not switched yet. */
  readonly stages: ReadonlyMap<string, Pick<StagedTransfer, "stage">>;
  /** Deletes what is left of the others. */
  readonly endings: LongWork;
  /** Areas of transfers that were ready when an earlier process ended. */
  readonly kept: Pick<KeptAreas, "giveWay">;
  readonly undo: Pick<UndoKeeper, "makeRoom" | "spare" | "tidy">;
  /** Called while the thread works, for all transfers that wait for it. */
  readonly onWork: () => void;
}

export class Room implements TransferRoom {
  private readonly parts: RoomParts;

  constructor(parts: RoomParts) {
    this.parts = parts;
  }

  clear(isDryRun: boolean): boolean {
    const { kept, endings } = this.parts;
    if ((isDryRun || !kept.giveWay()) && endings.isEmpty) return false;
    endings.finishAll();
    return true;
  }

  spare(): Spare {
    return this.parts.undo.spare(this.isUsed);
  }

  giveUp(): boolean {
    if (!this.giveUpMeanwhile()) return false;
    this.parts.undo.tidy();
    return true;
  }

  /** The same in the middle of something, which may be about to use the directory that all areas are in. */
  giveUpMeanwhile(): boolean {
    return this.parts.undo.makeRoom({ isUsed: this.isUsed, onWork: this.parts.onWork });
  }

  /** Whether a transfer takes back what is kept under a name. */
  private readonly isUsed = (name: string): boolean =>
    [...this.parts.stages.values()].some(({ stage }) => stage?.undone === name);
}
