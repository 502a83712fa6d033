/** An entry that was announced and may have to be read. */
import type { FileStats } from "../../sys/stat.ts";
import type { EntryType } from "../../wire/entry.ts";

/** An entry that was announced and may have to be read. */
export interface HeldEntry {
  readonly number: number;
  readonly path: string;
  readonly type: EntryType;
  readonly size: number;
  /** The stats of the entry when it was announced. */
  readonly stats: FileStats | undefined;
  /** The file has holes. */
  readonly isSparse: boolean;
}
