/** What the members need of a manifest block, and which files are read for that. */
import type { Bitmap } from "../../base/bitmap.ts";
import { EntryType } from "../../wire/entry.ts";
import { isSparse as hasHoles } from "../entries/holes.ts";
import type { HeldEntries, HeldEntry } from "./held-entry.ts";

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
  entries: HeldEntries,
  { contents, separate, elsewhere, moved }: SettledWants,
  tells: (what: "digest" | "chunks", entry: HeldEntry) => boolean,
): Divided {
  const found: Divided = { contents: [], elsewhere: [], other: [] };
  for (let index = 0; index < entries.length; index++) {
    const isElsewhere = elsewhere?.get(index) === true;
    const type = entries.typeOf(index);
    if (type === EntryType.hardLink) {
      if (separate?.get(index) === true) found.contents.push(...separated(entries.at(index)));
    } else if (type === EntryType.file && (isElsewhere || contents.get(index))) {
      const entry = entries.at(index);
      const hasMoved = moved?.get(index) === true;
      if (entry.size === 0) continue;
      if (isElsewhere && !hasMoved && tells("chunks", entry)) found.other.push(entry);
      else if (isElsewhere && tells("digest", entry)) found.elsewhere.push(entry);
      else found.contents.push(entry);
    }
  }
  return found;
}

/** A hard link as the file that it names; nothing if there is nothing to read. */
function separated(entry: HeldEntry): HeldEntry[] {
  const { stats } = entry;
  if (stats === undefined || stats.size === 0) return [];
  return [{ ...entry, size: stats.size, isSparse: hasHoles(stats) }];
}
