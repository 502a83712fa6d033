/** Whether a transfer finds room on the disk, and what is given up for it. */
import type { Obstacles } from "../decide/obstacles.ts";
import type { TreeView } from "../disk/tree-view.ts";
import { StageError } from "../reasons/stage-error.ts";
import type { Executor } from "./executor.ts";
import type { Spare, TransferRoom } from "./stage-extras.ts";
import type { Tally } from "./tally.ts";

/** The last bytes of a file system are used for more than contents. */
const SLACK_BYTES = 256 * 1024;

/** What it looks at. */
export interface StageRoomParts {
  readonly tree: Pick<TreeView, "freeBytes">;
  readonly obstacles: Obstacles;
  readonly executor: Executor;
  readonly tally: Tally;
  /** Asked if there is too little room. */
  readonly room: TransferRoom | undefined;
}

/**
 * Former files that are kept give way to a transfer, but not to one that would not fit without them either. The sender tells its
 * entries bit by bit. So they are given up when their room is needed, and not when the first entries fit only without them.
 */
export class StageRoom {
  private readonly parts: StageRoomParts;
  /** Whether it fits only without some of the former files. */
  private isTight = false;
  private hasWithdrawn = false;

  constructor(parts: StageRoomParts) {
    this.parts = parts;
  }

  /**
   * Further entries are known. A push that finds no inode fails at the entry that needs it.
   *
   * @throws StageError if they do not fit
   */
  check(): void {
    const { room, executor } = this.parts;
    for (;;) {
      try {
        this.look();
        this.isTight = false;
        return;
      } catch (error) {
        if (!(error instanceof StageError) || room === undefined) throw error;
        if (room.clear(executor.onlyReports)) continue;
        this.look(room.spare());
        this.isTight = true;
        return;
      }
    }
  }

  /**
   * Contents are about to be written: gives up what they need.
   *
   * @throws StageError if all entries that are known by now do not fit even then
   */
  make(bytes: number): void {
    if (!this.isTight) return;
    const { tree, room } = this.parts;
    while (tree.freeBytes() < bytes + SLACK_BYTES) {
      this.look(room?.spare());
      if (room?.giveUp() !== true) return;
    }
  }

  /** The sender has withdrawn a file: nothing counts what is not written any more. */
  noteWithdrawn(): void {
    this.hasWithdrawn = true;
  }

  /** So many bytes are to be written still at least, as far as the entries are known. */
  get missingBytes(): number {
    const { tally, executor } = this.parts;
    return this.hasWithdrawn ? 0 : Math.max(0, tally.totals.bytes - executor.writtenBytes);
  }

  private look(spare: Spare = { bytes: 0, inodes: 0 }): void {
    const { obstacles, tally, executor } = this.parts;
    obstacles.checkSpace(tally.totals.bytes, executor.writtenBytes, spare.bytes);
    if (executor.onlyReports) obstacles.checkInodes(tally.inodes, spare.inodes);
  }
}
