/** What the members need of a manifest block, and which files are read for that. */
import type { Bitmap } from "../../base/bitmap.ts";
import { EntryType } from "../../wire/entry.ts";
import { isSparse as hasHoles } from "../entries/holes.ts";
import type { HeldEntry } from "./held-entry.ts";

/** What all members together need of a manifest block. */
export interface SettledWants {
  /** The entries that change on some member. */
  readonly union: Bitmap;
  /** The entries whose contents have to be sent. */
  readonly contents: Bitmap;
  /** The hard links whose contents have to be sent, too. */
  readonly separate?: Bitmap | undefined;
  /** The files of which digests are told first: members may have them by other names. */
  readonly elsewhere?: Bitmap | undefined;
  /** Those of them that some member does not have by this name. */
  readonly moved?: Bitmap | undefined;
}

/** The files of a manifest block that are read. */
export interface Divided {
  readonly contents: HeldEntry[];
  /** Members may have them by other names. */
  readonly elsewhere: HeldEntry[];
  /** All members that need them have another version. */
  readonly other: HeldEntry[];
}

/** The files of a manifest block that are read: those to be sent, and those of which digests or chunks are told first. */
export function divided(
  entries: readonly HeldEntry[],
  { contents, separate, elsewhere, moved }: SettledWants,
  tells: (what: "digest" | "chunks", entry: HeldEntry) => boolean,
): Divided {
  const found: Divided = { contents: [], elsewhere: [], other: [] };
  entries.forEach((entry, index) => {
    if (entry.type === EntryType.hardLink) {
      if (separate?.get(index) === true) found.contents.push(...separated(entry));
    } else if (entry.type === EntryType.file && entry.size > 0) {
      const isElsewhere = elsewhere?.get(index) === true;
      const hasMoved = moved?.get(index) === true;
      if (isElsewhere && !hasMoved && tells("chunks", entry)) found.other.push(entry);
      else if (isElsewhere && tells("digest", entry)) found.elsewhere.push(entry);
      else if (isElsewhere || contents.get(index)) found.contents.push(entry);
    }
  });
  return found;
}

/** A hard link as the file that it names; nothing if there is nothing to read. */
function separated(entry: HeldEntry): HeldEntry[] {
  const { stats, type } = entry;
  if (type !== EntryType.hardLink || stats === undefined || stats.size === 0) return [];
  return [{ ...entry, size: stats.size, isSparse: hasHoles(stats) }];
}
