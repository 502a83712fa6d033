/** Makes staged entries durable before READY, and the switch before DONE: all syncs except those of single files. */
import type { Directories } from "../disk/directories.ts";
import type { StagingArea } from "./staging-area.ts";

/**
 * Some file systems keep changes of names in their order: the last one that is durable makes all earlier ones durable,
 * so the sync of the area is enough. On others, links, directories, attributes and times that nobody has synced may be
 * lost with the power although the journal is on the disk; so everything is written out.
 */
export class Durability {
  private readonly base: Directories;

  /** @param base the base directory: staged entries are on the same file system */
  constructor(base: Directories) {
    this.base = base;
  }

  /**
   * Makes everything staged durable, except for the journal, which follows.
   *
   * @param hasUnsynced whether some contents were not made durable one by one
   * @throws an error with a code, such as EIO if the disk did not store everything
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

  /** Whether a change of names that is durable makes all earlier ones durable. */
  get isOrdered(): boolean {
    return this.base.disk.fileSystemOf(this.base.root).isOrdered;
  }
}
