/** The entries that a node may hand on: what was published, and is as it was then. */
import { UserError } from "../../base/user-error.ts";
import type { FileStats } from "../../sys/stat.ts";
import { EntryType, isNameOnly } from "../../wire/entry.ts";
import { keyOf, likenessOf, Listed, type ListRow, readList } from "../entries/published-list.ts";
import type { PublishedPaths } from "./published-paths.ts";
import { named, type ScanItem } from "./scan.ts";
import { Ways } from "./ways.ts";

/** The last that was published of one path. */
interface LastOf {
  /** The name of the list. */
  readonly list: string;
  readonly directory: number;
  readonly atNs: bigint;
  readonly isServed: boolean;
  /** Whether those who ask lack it: it may be given. */
  readonly isLacked: boolean;
  readonly isGone: boolean;
  /** The key of its likeness, if it is a file with one name. */
  likeness: number | undefined;
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
  /** Directories that a publication has completed, with the lists of the last one, and of the last one that is served. */
  private readonly complete = new Map<
    number,
    { readonly list: string; readonly served: string | undefined }
  >();
  /** Ways to directories that nothing has been given of yet. */
  private readonly ways = new Ways();
  /** When something in a directory was last published. */
  private readonly touchedNs = new Map<number, bigint>();
  /** How many entries were published in each directory and are not found yet. */
  private readonly lacking = new Map<number, number>();
  /** Whether each directory that was found has the attributes that were published. */
  private readonly settled = new Map<string, boolean>();
  private readonly onLeftOut: (item: FoundItem) => void;
  private readonly served: readonly PublishedPaths[];
  /** The entries of the lists that are served, if others are lacked that may have replaced them. */
  private readonly replaceable = new Set<number>();
  private readonly isListing: boolean;
  /** The entries that cannot be handed on, by their keys, with the lists that they are in. */
  private readonly held = new Map<number, string>();
  /** Directories that are not complete any more, by their keys, with the lists that have completed them. */
  private readonly incomplete = new Map<number, string>();
  /** The path of one of them, where it is known. */
  sample = "";
  /** How many entries somebody has put into complete directories, one of them, and the lists that have completed these. */
  added = 0;
  addedSample = "";
  readonly addedLists = new Set<string>();

  /**
   * @param lists of this node, in the order in which they took effect
   * @param isListing whether members delete what is not named
   * @param onLeftOut called with each entry that is not given: further names of the same file must not be links to it
   * @throws UserError if one is damaged
   */
  constructor(
    lists: readonly PublishedPaths[],
    isListing: boolean,
    onLeftOut: (item: FoundItem) => void = () => undefined,
  ) {
    this.isListing = isListing;
    this.onLeftOut = onLeftOut;
    this.served = lists.filter(({ isServed }) => isServed);
    if (lists.some(({ isServed, isLacked }) => isLacked === true && !isServed))
      for (const { name, bytes } of this.served)
        for (const { kind, key } of rowsOf(name, bytes))
          if (kind === Listed.given || kind === Listed.gone) this.replaceable.add(key);
    for (const list of lists) this.load(list);
    this.countLacking();
  }

  /** How many entries cannot be handed on. */
  get withheld(): number {
    // Mostly the same entries are the reason for both.
    return this.held.size > 0 ? this.held.size : this.incomplete.size;
  }

  /** The lists that they are in. */
  get withheldLists(): ReadonlySet<string> {
    return new Set([...this.held.values(), ...this.incomplete.values()]);
  }

  /** The lists that are served and have named what is held, each with the later list that holds it. */
  get torn(): readonly (readonly [string, string])[] {
    if (this.held.size + this.incomplete.size === 0) return [];
    const found = new Map<string, readonly [string, string]>();
    for (const { name, bytes } of this.served) {
      for (const { kind, key } of rowsOf(name, bytes)) {
        const isEntry = kind === Listed.given || kind === Listed.gone;
        const holder = isEntry ? this.held.get(key) : undefined;
        const later = kind === Listed.complete ? this.incomplete.get(key) : holder;
        if (later !== undefined && later !== name) found.set(`${name} ${later}`, [name, later]);
      }
    }
    return [...found.values()];
  }

  /**
   * A later publication takes effect here while this scan goes on. All who are served have it, or ask for it: its paths need not be
   * brought any more.
   */
  supersede(list: PublishedPaths): void {
    this.load({ ...list, isServed: false, isLacked: false }, true);
    for (const [key, name] of this.held) if (this.last.get(key)?.list !== name) this.held.delete(key);
    // The later one says itself what is in a directory, or has deleted it.
    for (const key of this.incomplete.keys())
      if ((this.complete.get(key)?.list ?? list.name) === list.name) this.incomplete.delete(key);
    this.countLacking();
  }

  /** An entry was given, and its contents have changed before they were read. */
  withdraw(path: string): void {
    const key = keyOf(path);
    const known = this.last.get(key);
    if (known !== undefined && this.isOwed(key, known)) this.withhold(key, known.list, path);
  }

  private countLacking(): void {
    this.lacking.clear();
    for (const { directory, isGone, isFound } of this.last.values())
      if (!isGone && !isFound) this.lacking.set(directory, (this.lacking.get(directory) ?? 0) + 1);
  }

  /** The items of a scan that may be handed on. */
  *of(items: Iterable<ScanItem>): Generator<ScanItem> {
    for (const item of items) {
      if (item.kind === "entry") yield* this.entry(item);
      else if (item.kind === "complete") yield* this.completed(item);
      // Nobody has asked for these paths here: what cannot be read is found at the end.
    }
    for (const [key, known] of this.last) {
      if (!known.isFound && this.isOwed(key, known)) this.withhold(key, known.list, "");
    }
  }

  /** @param isFound what is known of its entries: the scan may have passed them */
  private load(
    { name: list, bytes, atMs, isServed, isLacked = isServed }: PublishedPaths,
    isFound = false,
  ): void {
    // The time is cut to milliseconds; those of files are not.
    const atNs = BigInt(Math.floor(atMs) + 1) * 1_000_000n;
    const listed = new Set<number>();
    const completed: number[] = [];
    let directory = 0;
    let entry: LastOf | undefined;
    for (const { kind, key } of rowsOf(list, bytes)) {
      if (kind === Listed.likeness && entry !== undefined) entry.likeness = key;
      entry = undefined;
      if (kind === Listed.directory) directory = key;
      if (kind === Listed.complete) completed.push(key);
      if (kind !== Listed.given && kind !== Listed.gone && kind !== Listed.kept) continue;
      listed.add(key);
      if (kind === Listed.kept) continue;
      const isGone = kind === Listed.gone;
      this.touchedNs.set(directory, atNs);
      this.touchedNs.set(key, atNs);
      if (isGone) this.removeBelow([key]);
      entry = { list, directory, atNs, isServed, isLacked, isGone, likeness: undefined, isFound };
      this.last.set(key, entry);
    }
    this.removeSuperfluous(new Set(completed), listed);
    for (const key of completed) {
      this.complete.set(key, { list, served: isServed ? list : this.complete.get(key)?.served });
    }
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
      this.ways.add(item);
    } else if (entry.type === EntryType.gone) {
      if (known?.isGone !== true || !known.isLacked) return;
      known.isFound = true;
      yield* this.given(item);
    } else if (known === undefined || known.isGone) {
      this.noteAdded(directory.path, path, entry.type);
      this.onLeftOut(item);
      // Entries in it may have been published without it.
      if (entry.type === EntryType.directory) this.ways.add(wayOf(item));
      // Somebody has put it here by hand. An entry that is only named is protected by a pattern, or cannot be read.
      if (entry.type === EntryType.kept) yield* this.kept(item);
    } else yield* this.published(item, path, known);
  }

  /** An item that is handed on, after the ways to it. */
  private *given(item: FoundItem | Extract<ScanItem, { kind: "complete" }>): Generator<ScanItem> {
    yield* this.ways.to(item.directory.path);
    yield this.plain(item);
  }

  /** The name of an entry that members keep: it says nothing where they delete nothing. */
  private *kept(item: FoundItem): Generator<ScanItem> {
    if (this.isListing && this.isCompletable(item.directory.path)) yield* this.given(item);
  }

  private noteAdded(directory: string, path: string, type: EntryType): void {
    const complete = isNameOnly(type) ? undefined : this.complete.get(keyOf(directory));
    if (complete?.served === undefined) return;
    this.added++;
    this.addedSample = path;
    this.addedLists.add(complete.list);
  }

  private *published(item: FoundItem, path: string, known: LastOf): Generator<ScanItem> {
    const { directory, entry } = item;
    if (!known.isFound) this.lacking.set(known.directory, (this.lacking.get(known.directory) ?? 0) - 1);
    known.isFound = true;
    if (entry.type === EntryType.directory) {
      yield* this.directory(item, path, known);
      return;
    }
    const isUntouched = isUnchanged(item.stats, known.atNs) || isOnlyLinked(item, known.likeness);
    const isSame = entry.type !== EntryType.kept && isUntouched;
    if (known.isLacked && isSame) {
      yield* this.given(item);
      return;
    }
    this.onLeftOut(item);
    if (!isSame && this.isOwed(keyOf(path), known)) this.withhold(keyOf(path), known.list, path);
    yield* this.kept(named(EntryType.kept, directory, entry.name));
  }

  /**
   * A directory that members have, or that somebody has changed, is only a way: it is made where it is missing. It comes when
   * something in it does, or in its place among those that are all that its directory has.
   */
  private *directory(item: FoundItem, path: string, known: LastOf): Generator<ScanItem> {
    const touched = this.touchedNs.get(keyOf(path));
    const isSettled = known.isLacked && touched !== undefined && isUnchanged(item.stats, touched);
    this.settled.set(path, isSettled);
    const isNamed = this.isListing && this.isCompletable(item.directory.path);
    if (isSettled) yield* this.given(item);
    else if (known.isServed || isNamed) yield* this.given(wayOf(item));
    else this.ways.add(this.plain(wayOf(item)));
    // A way alone says nothing of what a directory has.
    if (!isSettled && isNamed) yield* this.kept(named(EntryType.kept, item.directory, item.entry.name));
  }

  /** The attributes of a directory that was changed are not given with its entries either. */
  private plain<Item extends Extract<ScanItem, { kind: "entry" | "complete" }>>(item: Item): Item {
    const { path, metadata } = item.directory;
    if (metadata === undefined || this.settled.get(path) === true) return item;
    return { ...item, directory: { path, metadata: undefined } };
  }

  /** Whether a publication that is handed on has completed a directory: deletes of another one keep to other patterns. */
  private isCompletable(path: string): boolean {
    return this.complete.get(keyOf(path))?.served !== undefined;
  }

  /** A directory that lacks something is not complete: then what is superfluous in it is not brought. */
  private *completed(item: Extract<ScanItem, { kind: "complete" }>): Generator<ScanItem> {
    const { path } = item.directory;
    const key = keyOf(path);
    const served = this.complete.get(key)?.served;
    if (served === undefined) return;
    if ((this.lacking.get(key) ?? 0) === 0) {
      yield* this.given(item);
      return;
    }
    this.incomplete.set(key, served);
    if (this.sample === "") this.sample = path;
  }

  /** Whether what is served is not whole without an entry: one of its own, or the later version of one that it had. */
  private isOwed(key: number, { isServed, isLacked }: LastOf): boolean {
    return isServed || (isLacked && this.replaceable.has(key));
  }

  private withhold(key: number, list: string, path: string): void {
    this.held.set(key, list);
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

/**
 * Whether somebody has given a file a further name, and done nothing else. That changes its inode as an edit does, and an edit can be
 * followed by a command that sets the time back: but then the file has one name as before.
 */
function isOnlyLinked({ entry, stats }: FoundItem, likeness: number | undefined): boolean {
  if (stats === undefined || likeness === undefined || stats.links < 2) return false;
  return likenessOf(entry.metadata, stats.size) === likeness;
}

/** A directory as a way only: it is made where it is missing. */
function wayOf({ directory, entry }: FoundItem): FoundItem {
  return named(EntryType.passage, directory, entry.name, entry.metadata);
}

function isUnchanged(stats: FileStats | undefined, atNs: bigint): boolean {
  return stats !== undefined && stats.ctimeNs <= atNs;
}
