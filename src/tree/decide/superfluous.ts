/** Entries that a member has and its sender does not have, and whether they are too many to delete. */
import { type Reason, reason } from "../../base/reason.ts";
import { UserError } from "../../base/user-error.ts";
import type { FileStats } from "../../sys/stat.ts";
import type { Terms } from "../../wire/terms.ts";
import { directoryOf, joinPath, nameOf, STAGING_NAME } from "../../wire/path-rules.ts";
import { below, type EntryBelow } from "../disk/below.ts";
import type { TreeView } from "../disk/tree-view.ts";
import { compileExcludes, EXCLUDE_BYTES, type Exclusion } from "../../wire/excludes.ts";
import { isLostAndFound } from "../entries/lost-and-found.ts";
import type { LookAlikes } from "./look-alikes.ts";
import type { Protection } from "./protection.ts";
import { StageError } from "../reasons/stage-error.ts";

/** How many of the entries that a transfer looks at it may delete. */
export interface DeleteLimit {
  /** This many entries in any case. */
  readonly entries: number;
  /** Beyond that, this share of the entries looked at; undefined if only the number counts. */
  readonly percent: number | undefined;
}

/** Half of the entries, and a hundred in any case; chosen without measurement. */
export const DEFAULT_DELETE_LIMIT: DeleteLimit = { entries: 100, percent: 50 };

/** Throws if an entry cannot be deleted with a directory above it. */
export type Obstacle = (entry: EntryBelow) => void;

/** How many entries are walked before other work gets its turn; chosen without measurement. */
const ENTRIES_PER_STEP = 2_000;

/** So many paths are remembered of a directory that goes, so that it is walked once: some 1 MB. */
const REMEMBERED_PATHS = 10_000;

/**
 * Finds superfluous entries, one directory at a time: the entries of a directory come together, and their end is
 * marked. Entries that the patterns of either side exclude are kept, together with the directories above them.
 */
export class Superfluous {
  private readonly tree: TreeView;
  private readonly protection: Protection | undefined;
  private readonly lookAlikes: LookAlikes;
  private readonly patterns: string[] = [];
  private patternBytes = 0;
  private isExcluded: Exclusion | undefined;
  private terms: Terms | undefined;
  private directory: string | undefined;
  private readonly seen = new Set<string>();
  /** How many entries were looked at, and below how many of them are superfluous. */
  private inScope = 0;
  private found = 0;
  /** The path that was examined last, if nothing in it is kept and all paths below it are remembered. */
  private examined: { readonly path: string; readonly below: readonly string[] } | undefined;

  /** @param lookAlikes gets the superfluous files */
  constructor(tree: TreeView, protection: Protection | undefined, lookAlikes: LookAlikes) {
    this.tree = tree;
    this.protection = protection;
    this.lookAlikes = lookAlikes;
  }

  /** Takes the records that come before the entries of a manifest. */
  accept(terms: Terms | undefined, patterns: readonly string[]): void {
    this.terms ??= terms;
    this.patternBytes += patterns.reduce((sum, pattern) => sum + pattern.length + 1, 0);
    if (this.patternBytes > 2 * EXCLUDE_BYTES) throw StageError.of("too-many-patterns");
    this.patterns.push(...patterns);
    if (patterns.length > 0) this.isExcluded = undefined;
  }

  /** @throws StageError if the sender deletes without terms that say so */
  checkExpected(): void {
    if (!this.mayDelete) throw StageError.of("deletes-without-terms");
  }

  /** Whether the sender wants entries to be deleted that it does not have. */
  get mayDelete(): boolean {
    return this.terms?.deletes === true;
  }

  /** Whether anything may turn out to be superfluous. */
  get isLooking(): boolean {
    return this.terms !== undefined;
  }

  get isCheck(): boolean {
    return this.terms?.isCheck === true;
  }

  /** Records that the sender has an entry of this name. */
  note(directory: string, name: string): void {
    if (this.terms === undefined) return;
    if (directory !== this.directory) {
      this.directory = directory;
      this.seen.clear();
    }
    this.seen.add(name);
  }

  /** Whether the sender has an entry of this name, as far as its entries have come. */
  isKnown(directory: string, name: string): boolean {
    return directory === this.directory && this.seen.has(name);
  }

  /**
   * The superfluous entries of a directory, after all its entries have come: paths that can be deleted with everything
   * in them, step by step.
   *
   * @param obstacle called with each entry that goes
   */
  *in(directory: string, obstacle: Obstacle): Generator<string | undefined> {
    const isKnown = directory === this.directory;
    if (!this.tree.hasDirectory(directory)) return;
    const names = this.tree.list(directory);
    let otherNames: ReadonlySet<bigint> | undefined;
    for (const name of names) {
      if (directory === "" && name === STAGING_NAME) continue;
      if (isKnown && this.seen.has(name)) this.inScope++;
      else if (
        isKnown &&
        this.hasInode(directory, name, (otherNames ??= this.foundUnlisted(directory, names)))
      )
        this.inScope++;
      else yield* this.removalsOf(joinPath(directory, name), obstacle);
    }
  }

  /**
   * The inodes of entries that the sender has, and that this member finds by names that it does not list: its file system
   * ignores the case of names, or their normal form. Then the entry is listed by another name, and is not superfluous.
   */
  private foundUnlisted(directory: string, names: readonly string[]): ReadonlySet<bigint> {
    const listed = new Set(names);
    const inodes = new Set<bigint>();
    for (const name of this.seen) {
      const stats = listed.has(name) ? undefined : this.tree.statIn(directory, name);
      if (stats !== undefined) inodes.add(stats.inode);
    }
    return inodes;
  }

  private hasInode(directory: string, name: string, inodes: ReadonlySet<bigint>): boolean {
    if (inodes.size === 0) return false;
    const stats = this.tree.statIn(directory, name);
    return stats !== undefined && inodes.has(stats.inode);
  }

  /** A path as a whole, or the parts of it that can be deleted if something in it is kept; step by step. */
  *removalsOf(path: string, obstacle: Obstacle): Generator<string | undefined> {
    const stats = this.tree.stat(path);
    if (stats === undefined || this.stays(path, stats.isDirectory())) return;
    if (isLostAndFound(nameOf(path), stats, () => this.tree.statDirectory(directoryOf(path)))) return;
    const { kept, count } = yield* this.examine({ path, stats }, obstacle);
    this.inScope += count + kept.size;
    this.found += count;
    if (kept.size === 0) yield path;
    else yield* this.partsOf(path, kept);
  }

  /**
   * Every path that is deleted together with one. An entry that has appeared since the path was examined is not among them, if it is
   * excluded or if all paths were remembered: the commit finds it and leaves everything.
   */
  *pathsBelow(path: string): Generator<string> {
    if (this.examined?.path === path) {
      yield* this.examined.below;
      return;
    }
    if (this.tree.stat(path)?.isDirectory() !== true) return;
    for (const entry of below(this.tree, path))
      if (!this.stays(entry.path, entry.stats.isDirectory())) yield entry.path;
  }

  /**
   * Looks at a directory that something else replaces, and counts everything in it.
   *
   * @returns step by step whether nothing in it has to be kept
   */
  *replaced(path: string, stats: FileStats, obstacle: Obstacle): Generator<undefined, boolean> {
    const { kept, count } = yield* this.examine({ path, stats }, obstacle);
    if (kept.size > 0 || this.stays(path, true)) return false;
    // The directory itself is not deleted, but replaced.
    this.found += count - 1;
    this.inScope += count - 1;
    return true;
  }

  /** Whether there is anything in a directory. */
  hasEntries(path: string): boolean {
    return below(this.tree, path).next().done !== true;
  }

  /**
   * The reason to stop if more would be deleted than the limit allows.
   *
   * @param limit of this member
   * @param trustsForce whether the sender may go beyond it
   */
  excess(limit: DeleteLimit, trustsForce = true): Reason | undefined {
    const share = limit.percent === undefined ? 0 : Math.floor((this.inScope * limit.percent) / 100);
    const most = Math.max(limit.entries, share);
    if ((trustsForce && this.terms?.isForced === true) || this.found <= most) return undefined;
    return reason("delete-limit", undefined, this.found, this.inScope, most);
  }

  /**
   * Looks at a path and everything below it.
   *
   * @returns step by step how many entries can be deleted, and which directories have to be kept for their entries
   */
  private *examine(
    top: EntryBelow,
    obstacle: Obstacle,
  ): Generator<undefined, { kept: Set<string>; count: number }> {
    const kept = new Set<string>();
    const paths: string[] = [];
    let walked = 1;
    this.examined = undefined;
    this.lookAlikes.note(top.path, top.stats);
    if (!top.stats.isDirectory()) {
      this.examined = { path: top.path, below: [] };
      return { kept, count: walked };
    }
    // Which of them have to stay for what is in them is known at the end.
    const directories = [top];
    const enters = (entry: EntryBelow) => !this.stays(entry.path, true);
    for (const entry of below(this.tree, top.path, enters)) {
      if (this.stays(entry.path, entry.stats.isDirectory())) keepWay(kept, entry.path, top.path);
      else {
        this.lookAlikes.note(entry.path, entry.stats);
        if (paths.length < REMEMBERED_PATHS) paths.push(entry.path);
        if (entry.stats.isDirectory()) directories.push(entry);
        else obstacle(entry);
        if (++walked % ENTRIES_PER_STEP === 0) yield;
      }
    }
    for (const entry of directories) if (!kept.has(entry.path)) obstacle(entry);
    if (kept.size === 0 && walked - 1 === paths.length) this.examined = { path: top.path, below: paths };
    return { kept, count: walked - kept.size };
  }

  /** The largest parts of a directory that can be deleted if something in it is kept. */
  private *partsOf(top: string, kept: ReadonlySet<string>): Generator<string> {
    for (const { path, stats } of below(this.tree, top, (entry) => kept.has(entry.path))) {
      if (!kept.has(path) && !this.stays(path, stats.isDirectory())) yield path;
    }
  }

  /** Whether an entry is excluded, here or at the sender, and so stays whatever the sender has. */
  stays(path: string, isDirectory: boolean): boolean {
    this.isExcluded ??= this.compile();
    return this.isExcluded(path, isDirectory) || this.protection?.coversEntry(path, isDirectory) === true;
  }

  private compile(): Exclusion {
    try {
      return compileExcludes(this.patterns, this.terms?.base ?? "");
    } catch (error) {
      if (error instanceof UserError) throw StageError.of("bad-pattern", undefined, error.message);
      throw error;
    }
  }
}

/** Every directory above a kept entry has to be kept, too. */
function keepWay(kept: Set<string>, path: string, top: string): void {
  for (let way = directoryOf(path); !kept.has(way); way = directoryOf(way)) {
    kept.add(way);
    if (way === top) return;
  }
}
