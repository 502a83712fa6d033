/** The entries of manifest blocks, which were announced and may have to be read. */
import type { FileStats } from "../../sys/stat.ts";
import { StatsRows } from "../../sys/stats-rows.ts";
import { type Entry, EntryType } from "../../wire/entry.ts";
import { MANIFEST_ENTRIES } from "../../wire/limits.ts";
import { joinPath } from "../../wire/path-rules.ts";

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

/** The type of an entry is in the lower bits of its mark. */
const TYPE_MASK = 0x0f;
const IS_SPARSE = 0x10;
const HAS_STATS = 0x20;

/**
 * The entries of a manifest block until members have answered. Mostly they want none, so no object is kept of any but its name: next
 * to nothing of a million entries lives until the next collection of garbage, which would copy it.
 */
export class HeldEntries {
  private readonly first: number;
  private readonly names: string[] = [];
  private readonly directories: string[] = [];
  /** The place of each entry's directory among them. */
  private readonly places = new Uint16Array(MANIFEST_ENTRIES);
  private readonly marks = new Uint8Array(MANIFEST_ENTRIES);
  private readonly stats = new StatsRows();

  /** @param first the number of the first entry */
  constructor(first: number) {
    this.first = first;
  }

  get length(): number {
    return this.names.length;
  }

  add(directory: string, { name, type, extras }: Entry, stats: FileStats | undefined): void {
    const index = this.names.length;
    if (directory !== this.directories.at(-1)) this.directories.push(directory);
    this.places[index] = this.directories.length - 1;
    const isSparse = extras?.allocated !== undefined;
    this.marks[index] = type | (isSparse ? IS_SPARSE : 0) | (stats === undefined ? 0 : HAS_STATS);
    this.stats.add(stats);
    this.names.push(name);
  }

  /** The type of the index-th entry. */
  typeOf(index: number): EntryType {
    return ((this.marks[index] ?? 0) & TYPE_MASK) as EntryType;
  }

  /** The index-th entry. */
  at(index: number): HeldEntry {
    const mark = this.marks[index] ?? 0;
    const type = this.typeOf(index);
    const stats = (mark & HAS_STATS) === 0 ? undefined : this.stats.at(index);
    const directory = this.directories[this.places[index] ?? 0] ?? "";
    return {
      number: this.first + index,
      path: joinPath(directory, this.names[index] ?? ""),
      type,
      size: type === EntryType.file ? (stats?.size ?? 0) : 0,
      stats,
      isSparse: (mark & IS_SPARSE) !== 0,
    };
  }
}

export const NO_ENTRIES = new HeldEntries(0);
