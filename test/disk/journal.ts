import type { Chance } from "./chance.ts";
import {
  applyChange,
  applyContentChange,
  type Change,
  type ContentChange,
  type Image,
  inodeOf,
} from "./changes.ts";
import { Dependencies, NO_CIRCUMSTANCES, type Operation, withNeeds } from "./dependencies.ts";
import type { Inode } from "./inode.ts";

/** The state of a file system after a crash: `ordered` like ext4 and XFS, `unordered` like btrfs. */
export type CrashModel = "ordered" | "unordered";

/**
 * The number of inodes at which durable inodes without a name are looked for; the next time is at twice those that are
 * left. Chosen without measurement.
 */
const FIRST_SWEEP = 1024;

/**
 * The changes of one file system since they were last known to be durable, and its durable state. An operation stays in
 * the journal until a sync makes it durable, or until a crash decides about it.
 */
export class Journal {
  readonly durable: Image;
  private readonly model: CrashModel;
  private readonly pending = new Set<Operation>();
  private readonly contents = new Map<number, ContentChange[]>();
  private dependencies = new Dependencies();
  private sweepAt = FIRST_SWEEP;
  private sequence = 0;
  private readonly now: Image;

  /** @param now the current image, with this file system and all others of the disk */
  constructor(model: CrashModel, now: Image, durable: Image) {
    this.model = model;
    this.now = now;
    this.durable = durable;
  }

  /** How many operations a crash would decide about. */
  get pendingCount(): number {
    return this.pending.size;
  }

  /** Records an operation on names or attributes, and applies it to the current image. */
  record(changes: readonly Change[], circumstances = NO_CIRCUMSTANCES): void {
    const operation: Operation = { sequence: ++this.sequence, changes, needs: [] };
    for (const change of changes) applyChange(this.now, change, operation.sequence);
    this.pending.add(operation);
    if (this.model === "unordered") this.dependencies.add(operation, circumstances);
  }

  recordContents(inode: Inode, change: ContentChange): void {
    applyContentChange(inode, change);
    const known = this.contents.get(inode.number);
    if (known === undefined) this.contents.set(inode.number, [change]);
    else known.push(change);
  }

  syncContents(inode: Inode): void {
    const durable = this.born(inode);
    for (const change of this.contents.get(inode.number) ?? []) applyContentChange(durable, change);
    this.contents.delete(inode.number);
  }

  syncFile(inode: Inode): void {
    this.syncContents(inode);
    if (this.model === "ordered") this.commit([...this.pending]);
    else this.commitWithNeeds(this.dependencies.ofAttributes(inode.number));
  }

  /** Makes the names in a directory durable and, like fsync, the attributes of the directory itself. */
  syncDirectory(directory: Inode): void {
    if (this.model === "ordered") {
      this.commit([...this.pending]);
      return;
    }
    const { dependencies } = this;
    this.commitWithNeeds([
      ...dependencies.birthOf(directory.number),
      ...dependencies.ofNamesIn(directory.number),
      ...dependencies.ofAttributes(directory.number),
    ]);
  }

  syncAll(): void {
    const operations = [...this.pending];
    // It is faster to drop all dependencies at once.
    this.dependencies = new Dependencies();
    this.commit(operations);
    for (const number of this.contents.keys()) {
      const inode = this.now.get(number);
      if (inode !== undefined) this.syncContents(inode);
    }
    // The other files are gone, and that is durable.
    this.contents.clear();
  }

  /** Applies the changes that survive a crash to an image that has everything durable. */
  applySurvivors(image: Image, chance: Chance): void {
    for (const { changes, sequence } of this.survivors(chance))
      for (const change of changes) if (isPossible(image, change)) applyChange(image, change, sequence);
    for (const [number, changes] of this.contents) {
      const inode = image.get(number);
      if (inode === undefined || inode.links === 0) continue;
      for (const change of changes) applySurvivingContents(inode, change, chance);
    }
  }

  private survivors(chance: Chance): Iterable<Operation> {
    const operations = [...this.pending];
    if (this.model === "ordered") return operations.slice(0, chance.pick(operations.length + 1));
    const surviving = new Set<Operation>();
    for (const operation of operations) {
      const hasNeeds = operation.needs.every((needed) => !this.pending.has(needed) || surviving.has(needed));
      if (hasNeeds && chance.survives()) surviving.add(operation);
    }
    return surviving;
  }

  /** The durable copy of an inode; it is created if the inode's name is not durable yet. */
  private born(inode: Inode): Inode {
    const known = this.durable.get(inode.number);
    if (known !== undefined) return known;
    applyChange(this.durable, { kind: "birth", birth: inode.birth }, 0);
    this.dependencies.setBorn(inode.number);
    return inodeOf(this.durable, inode.number);
  }

  private commitWithNeeds(operations: Iterable<Operation>): void {
    this.commit(withNeeds(operations, (operation) => this.pending.has(operation)));
  }

  private commit(operations: readonly Operation[]): void {
    for (const operation of operations) {
      for (const change of operation.changes) applyChange(this.durable, change, operation.sequence);
      this.pending.delete(operation);
      // Otherwise each operation would keep all earlier ones in memory.
      operation.needs = [];
      if (this.model === "unordered") this.dependencies.remove(operation);
    }
    if (this.durable.size + this.contents.size >= this.sweepAt) this.sweep();
  }

  /** Drops the durable copies of files that are gone. */
  private sweep(): void {
    const { now } = this;
    const used = new Set<number>();
    for (const { changes } of this.pending)
      for (const change of changes)
        used.add(change.kind === "birth" ? change.birth.number : (change.inode ?? 0));
    for (const inode of this.durable.values()) {
      const { number } = inode;
      if (inode.links === 0 && !now.has(number) && !used.has(number)) this.durable.delete(number);
    }
    for (const number of this.contents.keys())
      if (!now.has(number) && !this.durable.has(number) && !used.has(number)) this.contents.delete(number);
    this.sweepAt = Math.max(FIRST_SWEEP, 2 * (this.durable.size + this.contents.size));
  }
}

/** A write survives, or is lost, or only the file size that it caused survives. */
function applySurvivingContents(inode: Inode, change: ContentChange, chance: Chance): void {
  if (chance.survives()) applyContentChange(inode, change);
  else if (change.kind === "write" && inode.contents !== undefined && chance.pick(2) === 1) {
    const { contents } = inode;
    const end = change.offset + change.bytes.length;
    if (contents.sizeBytes < end) contents.truncate(end);
  }
}

/** An attribute may survive without its inode. */
function isPossible(image: Image, change: Change): boolean {
  return change.kind === "birth" || change.kind === "name" || image.has(change.inode);
}
