/** An entry that was announced and may have to be read. */
import type { EntryType } from "../../wire/entry.ts";

/** An entry that was announced and may have to be read. */
export interface HeldEntry {
  readonly number: number;
  readonly path: string;
  readonly type: EntryType;
  readonly size: number;
  readonly mtimeNs: bigint;
  /** The file has holes. */
  readonly isSparse: boolean;
}
