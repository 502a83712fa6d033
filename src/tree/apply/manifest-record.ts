/** A hearer of the manifest of an incoming transfer. */
import type { EntryType } from "../../wire/entry.ts";
import type { DirectoryHandle, Disk } from "../disk/disk.ts";
import type { ManifestBlock } from "../../wire/manifest.ts";

/** Hears of the manifest of a transfer. */
export interface ManifestRecord {
  note(block: ManifestBlock): void;
  /** An entry is not sent after all. */
  withdraw(entry: number): void;
  /** A path is going to be as it was before a push that is taken back, or is gone then. */
  noteUndone?(path: string, type: EntryType): void;
  /** Writes the list of an undo into its area, for a start that has to finish it. */
  keepIn?(disk: Disk, area: DirectoryHandle): void;
  /** Whether the sender may have more deleted than this member allows. */
  readonly trustsForce: boolean;
  /** Whether earlier publications are brought: what other transfers commit meanwhile is later. */
  readonly isCatchUp?: boolean;
}
