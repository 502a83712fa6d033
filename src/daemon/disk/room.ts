/** Makes room for a transfer of the writing thread: by what is going to be deleted anyway, then by what is kept of former files. */
import type { Stage } from "../../tree/apply/stage.ts";
import type { FileSystemFacts } from "../../tree/disk/disk.ts";
import type { Lack } from "../../tree/disk/making-room.ts";
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
  /** The file system of the base directory. */
  readonly fileSystem: () => Pick<FileSystemFacts, "freeBytes" | "isPlain">;
  /** Called while the thread works, for all transfers that wait for it. */
  readonly onWork: () => void;
}

export class Room implements TransferRoom {
  private readonly parts: RoomParts;
  /** The transfer of which something is being staged. */
  private staging: Pick<Stage, "missingBytes"> | undefined;

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
    if (!this.removeOldest()) return false;
    this.parts.undo.tidy();
    return true;
  }

  /** Does something for a transfer. What it finds no room for may be given up meanwhile. */
  during<T>(stage: Pick<Stage, "missingBytes">, work: () => T): T {
    this.staging = stage;
    try {
      return work();
    } finally {
      this.staging = undefined;
    }
  }

  /**
   * Gives up the oldest in the middle of something, which may be about to use the directory that all areas are in.
   *
   * @returns false also if all of it would be too little
   */
  giveUpMeanwhile(lack: Lack): boolean {
    return this.isOfUse(lack) && this.removeOldest();
  }

  private removeOldest(): boolean {
    return this.parts.undo.makeRoom({ isUsed: this.isUsed, onWork: this.parts.onWork });
  }

  /**
   * Whether the transfer may come to its end without what is kept. It may where nobody knows: how much room is left of a quota, and
   * whether what is missing is entries, or bytes that the file system compresses.
   */
  private isOfUse({ code, bytes }: Lack): boolean {
    const { missingBytes = 0 } = this.staging ?? {};
    if (bytes === undefined || missingBytes === 0) return true;
    const { freeBytes, isPlain } = this.parts.fileSystem();
    if (!isPlain) return true;
    // Of a quota, less is left than this call needs.
    const leftBytes = code === "EDQUOT" ? bytes : freeBytes;
    return missingBytes <= leftBytes + this.spare().bytes;
  }

  /** Whether a transfer takes back what is kept under a name. */
  private readonly isUsed = (name: string): boolean =>
    [...this.parts.stages.values()].some(({ stage }) => stage?.undone === name);
}
