/** Makes what is staged durable before READY, and the switch before DONE: every sync of a transfer but those of single files. */
import type { Directories } from "../disk/directories.ts";
import type { StagingArea } from "./staging-area.ts";

/**
 * A file system that keeps changes of names in their order makes all of them durable with the last one, so that the sync of
 * the area is enough. Elsewhere, links, directories, attributes and times that nobody has synced may be missing after a
 * loss of power although the journal is there; so everything is written out.
 */
export class Durability {
  private readonly base: Directories;

  /** @param base the base directory: what is staged lies on the same file system */
  constructor(base: Directories) {
    this.base = base;
  }

  /**
   * Makes all that is staged durable, but for the journal, which follows.
   *
   * @param hasUnsynced whether some contents have not been made durable one by one
   * @throws an error with a code, such as EIO where the disk did not take it all
   */
  syncStaged(hasUnsynced: boolean): void {
    if (hasUnsynced || !this.isOrdered) this.base.disk.syncFileSystem(this.base.root);
  }

  /**
   * Makes it durable that a commit has begun, before anything is moved. A directory that goes into another one piece by piece
   * would not tell by itself: it stays where it is.
   */
  syncBegun(area: StagingArea): void {
    if (!this.isOrdered) area.sync();
  }

  /** Makes a switch durable. On an ordered file system the sync of the area's last name does that. */
  syncSwitched(): void {
    if (!this.isOrdered) this.base.disk.syncFileSystem(this.base.root);
  }

  private get isOrdered(): boolean {
    return this.base.disk.fileSystemOf(this.base.root).isOrdered;
  }
}
