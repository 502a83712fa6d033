/** Walks the tree and returns entries, and says which directories are complete. */
import { type Reason, reason } from "../../base/reason.ts";
import { UserError } from "../../base/user-error.ts";
import type { FileStats } from "../../sys/stat.ts";
import { EntryType } from "../../wire/entry.ts";
import type { DirectoryHeader } from "../../wire/manifest.ts";
import { type Metadata, NO_METADATA } from "../../wire/metadata.ts";
import { directoryOf, isSafeEntry, joinPath, nameOf, STAGING_NAME } from "../../wire/path-rules.ts";
import { metadataOf } from "../entries/attributes.ts";
import type { Directories } from "../disk/directories.ts";
import { errorCode, orElse } from "../../sys/system-error.ts";
import { isExcludedWithin } from "../../wire/excludes.ts";
import { reasonFor } from "../reasons/explain.ts";
import { type FoundEntry, type Look, Lookout, type LookRules, type SkippedEntry } from "./look.ts";
import type { UnreadableEntry } from "./look.ts";
import type { Owners } from "../entries/owners.ts";
import type { ScanRequest, ScanRules } from "./request.ts";

/**
 * Walks the tree of a request and returns its entries one by one, directory by directory: all entries of a directory
 * come together, and a directory comes before its entries. Memory is bounded by the names of the directories that are
 * still to be read, not by the number of entries.
 *
 * If members are to delete superfluous entries, the walk also returns the names of entries that the sender has but does
 * not send, and the end of each directory that it could read whole.
 */

/** Directories with up to this many entries are sorted by name: a bound on memory, chosen without measurement. */
const SORTED_ENTRIES = 20_000;

/** A directory that changes while it is listed is listed again so often: a listing alone takes milliseconds. */
const LISTINGS = 5;

/** Names of a directory that are remembered for its next listing: a bound on memory, some 20 MB. */
const REMEMBERED_NAMES = 200_000;

/** Why the walk leaves entries out without an error. */
const SKIPPED: ReadonlySet<string> = new Set<Reason["code"]>(["socket", "other-owner"]);

/** The items of a walk. */
export type ScanItem =
  | FoundEntry
  | UnreadableEntry
  | SkippedEntry
  /** The path was asked for, and is left out anyway. */
  | { readonly kind: "excluded"; readonly path: string; readonly reason: Reason }
  /** All entries of a directory have been returned. */
  | { readonly kind: "complete"; readonly directory: DirectoryHeader };

/** The entries that the walk leaves out, and the changes to the others before it returns them. */
export interface ScannerRules extends LookRules, Pick<ScanRules, "deletes" | "isForced" | "syncs"> {}

export class Scanner {
  private readonly directories: Directories;
  private readonly owners: Owners;
  private readonly rules: ScannerRules;
  private readonly lookout: Lookout;
  private readonly isListing: boolean;
  /** Directories on the way to a requested path that have been returned already. */
  private readonly passages = new Set<string>();

  constructor(directories: Directories, owners: Owners, rules: ScannerRules) {
    this.directories = directories;
    this.owners = owners;
    this.rules = rules;
    this.lookout = new Lookout(directories, owners, rules);
    this.isListing = rules.deletes !== "nothing";
  }

  /**
   * @param covered requested paths that other paths cover: the walk only checks whether they are sent
   * @throws UserError if a directory looks so wrong that nothing should be deleted because of it
   */
  *scan(request: ScanRequest, covered: readonly string[] = []): Generator<ScanItem> {
    this.owners.refresh();
    for (const path of covered) yield* this.covered(path);
    for (const path of request.paths) {
      const isDirectory = path === "" ? true : yield* this.requested(path, request.recursive);
      if (isDirectory && request.recursive) yield* this.below(path);
    }
  }

  /** An entry of the walk is not given to members: the next name of the same file is its first. */
  forget({ path, stats }: FoundEntry): void {
    if (stats !== undefined) this.lookout.forget(path, stats);
  }

  /** A requested path that another one covers: the walk does not miss it if it is gone, or nothing that is sent. */
  private *covered(path: string): Generator<ScanItem> {
    const isDirectory = this.isDirectory(path);
    const isExcluded = isExcludedWithin(this.rules.isExcluded, path, isDirectory);
    if (isExcluded || (this.rules.syncs && this.isGone(path))) {
      yield* this.requested(path, true);
      return;
    }
    // The walk says itself what is wrong with what is there.
    const why = isDirectory ? undefined : this.whyNotSent(path);
    if (why?.code === "ENOENT" || (why !== undefined && SKIPPED.has(why.code)))
      yield { kind: "unreadable", path, reason: why };
  }

  private whyNotSent(path: string): Reason | undefined {
    try {
      return this.lookout.whyNotSent(path);
    } catch (error) {
      return reasonFor(error);
    }
  }

  /**
   * One requested path with the directories on its way; true for a directory. If nothing of it is sent, that is an error:
   * somebody has asked for it by its name.
   */
  private *requested(path: string, isRecursive: boolean): Generator<ScanItem, boolean> {
    if (isExcludedWithin(this.rules.isExcluded, path, this.isDirectory(path))) {
      yield { kind: "excluded", path, reason: reason("pattern-matches") };
      return false;
    }
    if (this.isLostAndFound(path)) {
      yield { kind: "excluded", path, reason: reason("lost-and-found") };
      return false;
    }
    if (this.rules.syncs && this.isGone(path)) {
      yield named(EntryType.gone, this.wayTo(path), nameOf(path));
      return false;
    }
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      yield* this.passage(path.slice(0, slash));
    }
    const header = { path: directoryOf(path), metadata: undefined };
    let item: Look | undefined;
    try {
      item = this.lookout.at(header, nameOf(path));
    } catch (error) {
      item = { kind: "unreadable", path, reason: reasonFor(error) };
    }
    item ??= { kind: "unreadable", path, reason: reason("ENOENT") };
    // Entries in a directory of another user may be sent anyway.
    if (item.kind === "skipped" && !(item.isDirectory && isRecursive))
      item = { kind: "unreadable", path, reason: item.reason };
    yield* this.give(item, header, nameOf(path));
    return isEntered(item);
  }

  /** The directory of a path that is gone: members give theirs its time, since the delete changes it. */
  private wayTo(path: string): DirectoryHeader {
    const way = directoryOf(path);
    const stats = way === "" ? undefined : this.lookAt(way);
    const isSent = stats?.isDirectory() === true && !this.lookout.isForeign(stats);
    return { path: way, metadata: isSent ? metadataOf(stats, this.owners) : undefined };
  }

  /** Whether a path certainly does not exist: no entry of that name, in a directory that can be opened. */
  private isGone(path: string): boolean {
    try {
      this.directories.handle(directoryOf(path));
      return this.directories.stat(path) === undefined;
    } catch (error) {
      return errorCode(error) === "ENOENT";
    }
  }

  /** Whether a path is a file system's lost+found, or something in it. */
  private isLostAndFound(path: string): boolean {
    for (let way = path; way !== ""; way = directoryOf(way)) {
      const stats = this.lookAt(way);
      if (stats !== undefined && this.lookout.isLostAndFound(directoryOf(way), nameOf(way), stats))
        return true;
    }
    return false;
  }

  private isDirectory(path: string): boolean {
    return this.lookAt(path)?.isDirectory() === true;
  }

  /** The stats of an entry by its path; undefined also if they cannot be read. */
  private lookAt(path: string): FileStats | undefined {
    return orElse(undefined, () => this.directories.stat(path));
  }

  /** The directories above an entry that are not sent as entries because of their owner. */
  private *foreignWay(path: string): Generator<ScanItem> {
    for (let end = path.indexOf("/"); ; end = path.indexOf("/", end + 1)) {
      const way = end === -1 ? path : path.slice(0, end);
      if (way !== "" && this.lookout.isForeign(this.lookAt(way))) yield* this.passage(way);
      if (end === -1) return;
    }
  }

  private *passage(path: string): Generator<ScanItem> {
    if (this.passages.has(path)) return;
    const stats = this.lookAt(path);
    // A problem on the way is reported once, for the path that was asked for.
    if (stats?.isDirectory() !== true) return;
    if (this.passages.size < SORTED_ENTRIES) this.passages.add(path);
    const header = { path: directoryOf(path), metadata: undefined };
    if (this.rules.deletes === "only") yield named(EntryType.kept, header, nameOf(path));
    else yield named(EntryType.passage, header, nameOf(path), metadataOf(stats, this.owners));
  }

  /** Everything below a directory. */
  private *below(top: string): Generator<ScanItem> {
    const pending = [top];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      const found: string[] = [];
      yield* this.directory(path, found, path === top);
      for (let index = found.length - 1; index >= 0; index--) pending.push(found[index] as string);
    }
  }

  /** The entries of one directory; the directories among them are added to `found`. */
  private *directory(path: string, found: string[], isTop: boolean): Generator<ScanItem> {
    try {
      const stats = this.directories.statDirectory(path);
      let isWayGiven = this.rules.ownedBy === undefined;
      const isSent = path !== "" && !this.lookout.isForeign(stats) && this.rules.deletes !== "only";
      const header = { path, metadata: isSent ? metadataOf(stats, this.owners) : undefined };
      let isEmpty = true;
      let isWhole = true;
      let isSteady = true;
      const given = new Set<string>();
      for (const name of this.names(path)) {
        if (path === "" && name === STAGING_NAME) continue;
        const item = this.lookout.at(header, name);
        // A file system without anything else in it may be mounted in the place of another one.
        isEmpty &&= item?.kind === "hidden" && item.isOfFileSystem;
        if (item === undefined) {
          // The entry may still exist by another name, which this listing does not have.
          isSteady = false;
          continue;
        }
        if (isEntered(item)) found.push(joinPath(path, name));
        if (item.kind === "entry" && !isWayGiven && this.rules.deletes !== "only") {
          yield* this.foreignWay(path);
          isWayGiven = true;
        }
        isWhole &&= isSafeEntry(path, name);
        if (this.isListing && given.size <= REMEMBERED_NAMES) given.add(name);
        // Most entries: a generator for each of them would take as long as its stats.
        if (this.isPlain(item)) yield item;
        else yield* this.give(item, header, name);
      }
      if (!this.isListing) return;
      if (isTop && isEmpty) this.checkForced(path);
      isSteady &&= isUnchanged(stats, this.directories.statDirectory(path));
      if (isSteady && isWhole) yield { kind: "complete", directory: header };
      else if (isWhole) yield* this.listAgain(header, given, found);
    } catch (error) {
      if (error instanceof UserError) throw error;
      yield { kind: "unreadable", path, reason: reasonFor(error) };
    }
  }

  /**
   * Completes a directory that has changed while it was listed: gives what has come since.
   *
   * @param given the names that were given already; there may be more of them if they are too many to be remembered
   * @param found the directories among the entries are added to it
   */
  private *listAgain(header: DirectoryHeader, given: Set<string>, found: string[]): Generator<ScanItem> {
    const { path } = header;
    for (let listing = 1; listing <= LISTINGS && given.size <= REMEMBERED_NAMES; listing++) {
      const before = this.directories.statDirectory(path);
      let isWhole = true;
      for (const name of this.directories.list(path)) {
        if (given.has(name) || (path === "" && name === STAGING_NAME)) continue;
        const item = isSafeEntry(path, name) ? this.lookout.at(header, name) : undefined;
        isWhole &&= item !== undefined;
        if (item === undefined) continue;
        given.add(name);
        if (isEntered(item)) found.push(joinPath(path, name));
        yield* this.give(item, header, name);
      }
      if (!isWhole || !isUnchanged(before, this.directories.statDirectory(path))) continue;
      yield { kind: "complete", directory: header };
      return;
    }
    yield { kind: "unreadable", path, reason: reason("changes-all-the-time") };
  }

  /** Whether there is only one item for an entry: the entry itself. */
  private isPlain(item: Look): item is FoundEntry {
    return item.kind === "entry" && this.rules.deletes !== "only" && !this.lookout.hasProblem;
  }

  /** The items for one entry: the entry itself, its problem, or only its name. */
  private *give(item: Look, header: DirectoryHeader, name: string): Generator<ScanItem> {
    const problem = this.lookout.takeProblem();
    if (problem !== undefined) yield problem;
    const isSent = item.kind === "entry" && this.rules.deletes !== "only";
    if (item.kind !== "hidden" && (isSent || item.kind !== "entry")) yield item;
    if (!isSent && this.isListing && isSafeEntry(header.path, name))
      yield named(EntryType.kept, header, name);
  }

  /** The names in a directory, sorted unless there are too many. */
  private names(path: string): Iterable<string> {
    const listing = this.directories.disk.listSlowly(this.directories.handle(path));
    const first: string[] = [];
    for (let next = listing.next(); next.done !== true; next = listing.next()) {
      first.push(next.value);
      if (first.length > SORTED_ENTRIES) return restOf(first, listing);
    }
    return first.sort();
  }

  private checkForced(path: string): void {
    if (this.rules.isForced || this.rules.dryRun) return;
    const what = path === "" ? "the base directory" : `'${path}'`;
    throw new UserError(
      `${what} is empty here, so everything in it would be deleted: is something not mounted? ` +
        "Add --force-delete if that is what you want",
    );
  }
}

/** The first names of a listing, and those that follow. */
function* restOf(first: readonly string[], listing: Generator<string>): Generator<string> {
  try {
    yield* first;
    yield* listing;
  } finally {
    listing.return(undefined);
  }
}

/** An entry with its name only, or with its final metadata. */
export function named(
  type: EntryType,
  directory: DirectoryHeader,
  name: string,
  metadata: Metadata = NO_METADATA,
): FoundEntry {
  const entry = { type, name, metadata, size: 0, target: "", extras: undefined };
  const path = joinPath(directory.path, name);
  return { kind: "entry", directory, path, entry, stats: undefined };
}

/** Whether the walk continues in the entry. */
function isEntered(item: Look): boolean {
  return item.kind === "entry"
    ? item.entry.type === EntryType.directory
    : item.kind === "skipped" && item.isDirectory;
}

/** Whether a directory has the same entries as before: programs can set its time back, but not that of its inode. */
function isUnchanged(before: FileStats, now: FileStats): boolean {
  return now.mtimeNs === before.mtimeNs && now.ctimeNs === before.ctimeNs;
}
