/** Records what an incoming transfer publishes, for the log of publications. */
import fs from "node:fs";
import { orElse } from "../../sys/system-error.ts";
import type { FollowedUndo } from "../../engine/catch-up/undo-choice.ts";
import type { ManifestRecord } from "../../tree/apply/manifest-record.ts";
import { type UndoList, writeUndoList } from "../../tree/apply/undo-list.ts";
import type { DirectoryHandle, Disk } from "../../tree/disk/disk.ts";
import { type ListRow, PublishedList } from "../../tree/entries/published-list.ts";
import { EntryType } from "../../wire/entry.ts";
import type { ManifestBlock } from "../../wire/manifest.ts";
import type { Origin } from "../../wire/origin.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import type { StageRules, WorkerSettings } from "./messages.ts";

/** The file belongs to the daemon alone. */
const FILE_MODE = 0o600;

/** The end of the name of the file beside a list that has the paths which are gone because a push was taken back. */
export const REMOVED = ".removed";

type RecordSettings = Pick<StageRules, "isNewcomer"> & Pick<WorkerSettings, "recordsLists">;

export class TransferRecord implements ManifestRecord {
  private readonly list = new PublishedList();
  private readonly settings: RecordSettings;
  /** Paths that go where a push is taken back. */
  private readonly removed: string[] = [];
  /** Whether the transfer is a publication, or brings earlier ones; undefined as long as it does not say. */
  origin: Origin | undefined;
  /** The undo that it brings; undefined if it is another transfer. */
  followed: FollowedUndo | undefined;

  /** @param origin where no manifest says it */
  constructor(settings: RecordSettings, origin?: Origin) {
    this.settings = settings;
    this.origin = origin;
  }

  /**
   * Nobody has asked for what a newcomer gets by itself, and its base directory may have been full of other files. On a host
   * that was there before, the members that had a push have agreed to its deletes.
   */
  get trustsForce(): boolean {
    return !this.settings.isNewcomer || !this.isCatchUp;
  }

  note(block: ManifestBlock): void {
    this.origin ??= block.origin;
    if (this.origin !== undefined && this.settings.recordsLists)
      for (const directory of block.directories) this.list.note(directory);
  }

  withdraw(entry: number): void {
    this.list.withdraw(entry);
  }

  noteUndone(path: string, type: EntryType): void {
    if (!this.settings.recordsLists) return;
    this.list.noteEntry(directoryOf(path), nameOf(path), type);
    if (type === EntryType.gone) this.removed.push(path);
  }

  get isCatchUp(): boolean {
    return this.origin?.kind === "catch-up";
  }

  /** Later publications have brought something meanwhile, which this transfer leaves alone. */
  leaveTo(lists: readonly (readonly ListRow[])[]): void {
    this.list.leaveTo(lists);
  }

  /** If it brings what this host lacks, that is an undo. */
  follow(undo: FollowedUndo): void {
    if (this.isCatchUp) this.followed = undo;
  }

  /** Whether it is a push, takes one back, or brings an undo: then it can be taken back itself. */
  get canBeTakenBack(): boolean {
    return this.origin !== undefined && (this.origin.kind !== "catch-up" || this.followed !== undefined);
  }

  keepIn(disk: Disk, area: DirectoryHandle): void {
    const list = this.settings.recordsLists ? this.list.finish() : undefined;
    if (list !== undefined) writeUndoList(disk, area, { list, removed: this.removedBytes });
  }

  /** @returns whether the list was written */
  write(file: string): boolean {
    if (!this.settings.recordsLists) return false;
    const list = this.list.finish();
    if (this.origin?.kind !== "undo") return writeList(file, list);
    return list !== undefined && writeListOfUndo(file, { list, removed: this.removedBytes });
  }

  /** A list of hashes tells nobody which names to ask for that are not there any more. */
  private get removedBytes(): Buffer {
    return Buffer.from(this.removed.map((path) => `${path}\0`).join(""), "latin1");
  }
}

/** Writes the list of an undo, with the paths that it has removed beside it. */
export function writeListOfUndo(file: string, { list, removed }: UndoList): boolean {
  return writeList(file + REMOVED, removed) && writeList(file, list);
}

/**
 * Writes a list. It is not made durable: if it is lost, this host cannot hand on what it names, and that is all.
 *
 * @returns whether it is there
 */
export function writeList(file: string, bytes: Uint8Array | undefined): boolean {
  if (bytes === undefined) return false;
  return orElse(false, () => {
    fs.writeFileSync(file, bytes, { flag: "wx", mode: FILE_MODE });
    return true;
  });
}
