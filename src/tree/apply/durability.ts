/** Makes what is staged durable before READY, and the switch before DONE: every sync of a transfer but those of single files. */
import type { Step } from "../decide/decision.ts";
import { StepKind } from "../decide/decision.ts";
import type { Directories } from "../disk/directories.ts";
import { below } from "../disk/below.ts";
import { directoryOf } from "../../wire/path-rules.ts";
import { type DirectoryHandle, ITSELF } from "../disk/disk.ts";
import type { StagingArea } from "./staging-area.ts";

/**
 * A file system that keeps changes of names in their order makes all of them durable with the last one, so that the sync of
 * the area is enough. Elsewhere, links, directories, attributes and times that nobody has synced may be missing after a
 * loss of power although the journal is there; so everything is written out.
 */
export class Durability {
  private readonly base: Directories;

  constructor(base: Directories) {
    this.base = base;
  }

  /**
   * Makes all that is staged durable, but for the journal.
   *
   * @param hasUnsynced whether some contents have not been made durable one by one
   * @throws an error with a code, such as EIO where the disk did not take it all
   */
  syncStaged(area: StagingArea, hasUnsynced: boolean): void {
    if (this.isOrdered && !hasUnsynced) return;
    if (this.base.disk.canSyncFileSystem) this.base.disk.syncFileSystem(this.base.root);
    else this.syncTree(area.tree);
  }

  /**
   * Makes a switch durable. On an ordered file system the caller does that, by the sync of the area's last name.
   *
   * @param steps of the journal that was carried out
   */
  syncSwitched(steps: Iterable<Step>): void {
    if (this.isOrdered) return;
    const { disk, root } = this.base;
    if (disk.canSyncFileSystem) disk.syncFileSystem(root);
    else for (const step of steps) this.syncStep(step);
  }

  private get isOrdered(): boolean {
    return this.base.disk.fileSystemOf(this.base.root).isOrdered;
  }

  private syncTree(tree: Directories): void {
    for (const { path, stats } of below(tree, "")) {
      if (stats.isDirectory()) syncDirectoryAt(tree, path);
      else if (stats.isFile()) syncFileAt(tree, path);
    }
    tree.disk.syncDirectory(tree.root);
  }

  private syncStep({ kind, path }: Step): void {
    if (kind === StepKind.place || kind === StepKind.remove) syncDirectoryAt(this.base, directoryOf(path));
    if (kind === StepKind.remove) return;
    syncDirectoryAt(this.base, path);
    // What was staged in a directory may have gone into one that was there.
    if (kind === StepKind.place)
      for (const entry of below(this.base, path))
        if (entry.stats.isDirectory()) syncDirectoryAt(this.base, entry.path);
  }
}

function syncDirectoryAt(tree: Directories, path: string): void {
  const found = tree.find(path);
  if (found === undefined) return;
  const directory = tree.disk.openDirectory(found, ITSELF, "sync");
  try {
    tree.disk.syncDirectory(directory);
  } finally {
    tree.disk.closeDirectory(directory);
  }
}

function syncFileAt(tree: Directories, path: string): void {
  const parent: DirectoryHandle = tree.handle(directoryOf(path));
  const file = tree.disk.openFile(parent, path.slice(path.lastIndexOf("/") + 1), "read");
  try {
    tree.disk.syncFile(file);
  } finally {
    tree.disk.closeFile(file);
  }
}
