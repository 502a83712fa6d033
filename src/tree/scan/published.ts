/** The entries that a node may hand on: what was published, and is as it was then. */
import { UserError } from "../../base/user-error.ts";
import type { FileStats } from "../../sys/stat.ts";
import { EntryType, isNameOnly } from "../../wire/entry.ts";
import { keyOf, Listed, type ListRow, readList } from "../entries/published-list.ts";
import type { PublishedPaths } from "./published-paths.ts";
import { named, type ScanItem } from "./scan.ts";

/** The last that was published of one path. */
interface LastOf {
  /** The name of the list. */
  readonly list: string;
  readonly directory: number;
  readonly atNs: bigint;
  readonly isServed: boolean;
  readonly isGone: boolean;
  /** Whether the tree is as this says, as far as a name tells. */
  isFound: boolean;
}

type FoundItem = Extract<ScanItem, { kind: "entry" }>;

/**
 * Lets a scan through that gives only what was published (PROTOCOL.md 9.4). An entry that somebody has changed since by hand is
 * withheld: its inode has changed later than the last publication of its path took effect here. A directory is complete only if
 * everything that was published in it is there.
 */
export class Published {
  private readonly last = new Map<number, LastOf>();
  /** Directories that a publication has completed, with the list of the last one. */
  private readonly complete = new Map<number, string>();
  /** The lists that are to be handed on now. */
  private readonly served = new Set<string>();
  /** When something in a directory was last published. */
  private readonly touchedNs = new Map<number, bigint>();
  /** How many entries were published in each directory and are not found yet. */
  private readonly lacking = new Map<number, number>();
  /** Whether each directory that was found has the attributes that were published. */
  private readonly settled = new Map<string, boolean>();
  /** Files that are withheld, so that no link to them is given. */
  private readonly withheldPaths = new Set<string>();
  /** Whether members delete what is not named. */
  private readonly isListing: boolean;
  /** How many entries cannot be handed on, and one of them. */
  withheld = 0;
  sample = "";
  /** The lists that they are in. */
  readonly withheldLists = new Set<string>();
  /** How many entries somebody has put into complete directories, one of them, and the lists that have completed these. */
  added = 0;
  addedSample = "";
  readonly addedLists = new Set<string>();

  /**
   * @param lists of this node, in the order in which they took effect
   * @throws UserError if one is damaged
   */
  constructor(lists: readonly PublishedPaths[], isListing: boolean) {
    this.isListing = isListing;
    for (const list of lists) this.load(list);
    for (const { directory, isGone } of this.last.values())
      if (!isGone) this.lacking.set(directory, (this.lacking.get(directory) ?? 0) + 1);
  }

  /** The items of a scan that may be handed on. */
  *of(items: Iterable<ScanItem>): Generator<ScanItem> {
    for (const item of items) {
      if (item.kind === "entry") yield* this.entry(item);
      else if (item.kind === "complete" && this.isComplete(item.directory.path)) yield this.plain(item);
      // Nobody has asked for these paths here: what cannot be read is found at the end.
    }
    for (const { list, isServed, isFound } of this.last.values()) {
      if (isServed && !isFound) this.withhold(list, "");
    }
  }

  private load({ name: list, bytes, atMs, isServed }: PublishedPaths): void {
    if (isServed) this.served.add(list);
    // The time is cut to milliseconds; those of files are not.
    const atNs = BigInt(Math.floor(atMs) + 1) * 1_000_000n;
    const listed = new Set<number>();
    const completed: number[] = [];
    let directory = 0;
    for (const { kind, key } of rowsOf(list, bytes)) {
      if (kind === Listed.directory) directory = key;
      if (kind === Listed.complete) completed.push(key);
      if (kind !== Listed.given && kind !== Listed.gone && kind !== Listed.kept) continue;
      listed.add(key);
      if (kind === Listed.kept) continue;
      const isGone = kind === Listed.gone;
      this.touchedNs.set(directory, atNs);
      this.touchedNs.set(key, atNs);
      if (isGone) this.removeBelow([key]);
      this.last.set(key, { list, directory, atNs, isServed, isGone, isFound: false });
    }
    this.removeSuperfluous(new Set(completed), listed);
    for (const key of completed) this.complete.set(key, list);
  }

  /** A complete directory has nothing else than what was named in it. */
  private removeSuperfluous(completed: ReadonlySet<number>, listed: ReadonlySet<number>): void {
    if (completed.size === 0) return;
    const removed: number[] = [];
    for (const [key, entry] of this.last) {
      if (completed.has(entry.directory) && !listed.has(key)) removed.push(key);
    }
    for (const key of removed) this.last.delete(key);
    this.removeBelow(removed);
  }

  private removeBelow(removed: readonly number[]): void {
    let gone = new Set(removed);
    while (gone.size > 0) {
      const below = new Set<number>();
      for (const key of gone) this.complete.delete(key);
      for (const [key, entry] of this.last) if (gone.has(entry.directory) && !gone.has(key)) below.add(key);
      for (const key of below) this.last.delete(key);
      gone = below;
    }
  }

  private *entry(item: FoundItem): Generator<ScanItem> {
    const { directory, path, entry } = item;
    const known = this.last.get(keyOf(path));
    if (entry.type === EntryType.passage) {
      yield item;
    } else if (entry.type === EntryType.gone) {
      if (known?.isGone !== true || !known.isServed) return;
      known.isFound = true;
      yield this.plain(item);
    } else if (known === undefined || known.isGone) {
      this.noteAdded(directory.path, path, entry.type);
      // Somebody has put it here by hand. An entry that is only named is protected by a pattern, or cannot be read.
      if (entry.type === EntryType.kept) yield this.plain(item);
    } else yield* this.published(item, path, known);
  }

  private noteAdded(directory: string, path: string, type: EntryType): void {
    const list = isNameOnly(type) ? undefined : this.complete.get(keyOf(directory));
    if (list === undefined || !this.served.has(list)) return;
    this.added++;
    this.addedSample = path;
    this.addedLists.add(list);
  }

  private *published(item: FoundItem, path: string, known: LastOf): Generator<ScanItem> {
    const { directory, entry } = item;
    if (!known.isFound) this.lacking.set(known.directory, (this.lacking.get(known.directory) ?? 0) - 1);
    known.isFound = true;
    if (entry.type === EntryType.directory) {
      yield this.directory(item, path, known);
      return;
    }
    const isLinkOfWithheld = entry.type === EntryType.hardLink && this.withheldPaths.has(entry.target);
    const isSame = entry.type !== EntryType.kept && isUnchanged(item.stats, known.atNs) && !isLinkOfWithheld;
    if (known.isServed && isSame) {
      yield this.plain(item);
      return;
    }
    this.withheldPaths.add(path);
    if (known.isServed) this.withhold(known.list, path);
    if (this.isListing) yield this.plain(named(EntryType.kept, directory, entry.name));
  }

  /** A directory that is not served, or that somebody has changed, is only a way: it is made where it is missing. */
  private directory(item: FoundItem, path: string, known: LastOf): ScanItem {
    const touched = this.touchedNs.get(keyOf(path));
    const isSettled = known.isServed && touched !== undefined && isUnchanged(item.stats, touched);
    this.settled.set(path, isSettled);
    if (isSettled) return this.plain(item);
    const { directory, entry } = item;
    return this.plain(named(EntryType.passage, directory, entry.name, entry.metadata));
  }

  /** The attributes of a directory that was changed are not given with its entries either. */
  private plain<Item extends Extract<ScanItem, { kind: "entry" | "complete" }>>(item: Item): Item {
    const { path, metadata } = item.directory;
    if (metadata === undefined || this.settled.get(path) === true) return item;
    return { ...item, directory: { path, metadata: undefined } };
  }

  private isComplete(path: string): boolean {
    const key = keyOf(path);
    return this.complete.has(key) && (this.lacking.get(key) ?? 0) === 0;
  }

  private withhold(list: string, path: string): void {
    this.withheld++;
    this.withheldLists.add(list);
    if (path !== "") this.sample = path;
  }
}

/** @throws UserError if a list is damaged */
function rowsOf(list: string, bytes: Buffer): readonly ListRow[] {
  const rows = readList(bytes);
  if (rows !== undefined) return rows;
  throw new UserError(
    `the list published-*-${list} in the state directory is damaged: remove it, and restart the daemon`,
  );
}

function isUnchanged(stats: FileStats | undefined, atNs: bigint): boolean {
  return stats !== undefined && stats.ctimeNs <= atNs;
}
