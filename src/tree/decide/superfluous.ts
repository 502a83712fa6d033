/** What a member has and its sender has not, and whether that is too much. */
import { type Reason, reason } from "../../base/reason.ts";
import { UserError } from "../../base/user-error.ts";
import type { FileStats } from "../../sys/stat.ts";
import type { Terms } from "../../wire/terms.ts";
import { directoryOf, joinPath, STAGING_NAME } from "../../wire/path-rules.ts";
import { below, type EntryBelow } from "../disk/below.ts";
import type { TreeView } from "../disk/tree-view.ts";
import { compileExcludes, EXCLUDE_BYTES, type Exclusion } from "../entries/excludes.ts";
import type { Protection } from "./protection.ts";
import { StageError } from "../reasons/stage-error.ts";

/** How much of what a transfer looks at it may delete. */
export interface DeleteLimit {
  /** So many entries at least. */
  readonly entries: number;
  /** And this share of them; undefined where the number alone counts. */
  readonly percent: number | undefined;
}

/** Half of the entries, and a hundred in any case. */
export const DEFAULT_DELETE_LIMIT: DeleteLimit = { entries: 100, percent: 50 };

/** Throws where a directory cannot be deleted. */
export type Obstacle = (entry: EntryBelow) => void;

/** So many entries are walked between two looks at what else there is to do. */
const ENTRIES_PER_STEP = 2_000;

/**
 * Finds out what a member has and its sender has not, a directory at a time: the entries of a directory come together, and
 * their end is marked. What the patterns of either side exclude stays, and so do the directories that it is in.
 */
export class Superfluous {
  private readonly tree: TreeView;
  private readonly protection: Protection | undefined;
  private readonly patterns: string[] = [];
  private patternBytes = 0;
  private isExcluded: Exclusion | undefined;
  private terms: Terms | undefined;
  private directory: string | undefined;
  private readonly seen = new Set<string>();
  /** Entries that were looked at, and those of them that are superfluous. */
  private inScope = 0;
  private found = 0;

  constructor(tree: TreeView, protection: Protection | undefined) {
    this.tree = tree;
    this.protection = protection;
  }

  /** Takes over what stands before the entries of a manifest. */
  accept(terms: Terms | undefined, patterns: readonly string[]): void {
    this.terms ??= terms;
    this.patternBytes += patterns.reduce((sum, pattern) => sum + pattern.length + 1, 0);
    if (this.patternBytes > 2 * EXCLUDE_BYTES) throw StageError.of("too-many-patterns");
    this.patterns.push(...patterns);
    if (patterns.length > 0) this.isExcluded = undefined;
  }

  /** @throws StageError where the sender deletes and has not said so before */
  checkExpected(): void {
    if (this.terms === undefined) throw StageError.of("deletes-without-terms");
  }

  /** Whether anything may turn out to be superfluous. */
  get isLooking(): boolean {
    return this.terms !== undefined;
  }

  get isCheck(): boolean {
    return this.terms?.isCheck === true;
  }

  /** The sender has an entry of this name. */
  note(directory: string, name: string): void {
    if (this.terms === undefined) return;
    if (directory !== this.directory) {
      this.directory = directory;
      this.seen.clear();
    }
    this.seen.add(name);
  }

  /**
   * What is superfluous in a directory, now that all its entries are known: paths that can be deleted with all that is in
   * them, step by step.
   *
   * @param obstacle called with each directory that goes
   */
  *in(directory: string, obstacle: Obstacle): Generator<string | undefined> {
    const isKnown = directory === this.directory;
    if (!this.tree.hasDirectory(directory)) return;
    for (const name of this.tree.list(directory)) {
      if (directory === "" && name === STAGING_NAME) continue;
      if (isKnown && this.seen.has(name)) this.inScope++;
      else yield* this.removalsOf(joinPath(directory, name), obstacle);
    }
  }

  /** A path as one, or what can be deleted of it where something in it stays; step by step. */
  *removalsOf(path: string, obstacle: Obstacle): Generator<string | undefined> {
    const stats = this.tree.stat(path);
    if (stats === undefined || this.stays(path, stats.isDirectory())) return;
    const { kept, count } = yield* this.examine({ path, stats }, obstacle);
    this.inScope += count + kept.size;
    this.found += count;
    if (kept.size === 0) yield path;
    else yield* this.partsOf(path, kept);
  }

  /** Every path that goes with one that is deleted, itself first. */
  *pathsOf(path: string): Generator<string> {
    yield path;
    if (this.tree.stat(path)?.isDirectory() !== true) return;
    for (const entry of below(this.tree, path)) yield entry.path;
  }

  /**
   * A directory is going to be replaced by something else: all in it goes.
   *
   * @returns step by step which paths these are
   * @throws StageError where something of it has to stay
   */
  *replaced(path: string, stats: FileStats, obstacle: Obstacle): Generator<undefined, string[]> {
    const { kept } = yield* this.examine({ path, stats }, obstacle);
    const [first] = kept;
    if (first !== undefined) throw StageError.of("holds-excluded", path);
    if (!this.isLooking) return [];
    const paths: string[] = [];
    for (const entry of below(this.tree, path)) paths.push(entry.path);
    this.found += paths.length;
    this.inScope += paths.length;
    return paths;
  }

  /**
   * The reason not to go on where more would be deleted than may be.
   *
   * @param limit what this member allows
   */
  excess(limit: DeleteLimit): Reason | undefined {
    const share = limit.percent === undefined ? 0 : Math.floor((this.inScope * limit.percent) / 100);
    const most = Math.max(limit.entries, share);
    if (this.terms?.isForced === true || this.found <= most) return undefined;
    return reason("delete-limit", undefined, this.found, this.inScope, most);
  }

  /**
   * Looks at all of a path.
   *
   * @returns step by step how many entries can be deleted, and the directories that have to stay for what is in them
   */
  private *examine(
    top: EntryBelow,
    obstacle: Obstacle,
  ): Generator<undefined, { kept: Set<string>; count: number }> {
    const kept = new Set<string>();
    let walked = 1;
    if (!top.stats.isDirectory()) return { kept, count: walked };
    // Which of them have to stay for what is in them is known at the end.
    const directories = [top];
    const enters = (entry: EntryBelow) => !this.stays(entry.path, true);
    for (const entry of below(this.tree, top.path, enters)) {
      if (this.stays(entry.path, entry.stats.isDirectory())) keepWay(kept, entry.path, top.path);
      else {
        if (entry.stats.isDirectory()) directories.push(entry);
        if (++walked % ENTRIES_PER_STEP === 0) yield;
      }
    }
    for (const entry of directories) if (!kept.has(entry.path)) obstacle(entry);
    return { kept, count: walked - kept.size };
  }

  /** What can be deleted of a directory in which something stays: the largest parts. */
  private *partsOf(top: string, kept: ReadonlySet<string>): Generator<string> {
    for (const { path, stats } of below(this.tree, top, (entry) => kept.has(entry.path))) {
      if (!kept.has(path) && !this.stays(path, stats.isDirectory())) yield path;
    }
  }

  private stays(path: string, isDirectory: boolean): boolean {
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

/** Everything on the way to what stays has to stay, too. */
function keepWay(kept: Set<string>, path: string, top: string): void {
  for (let way = directoryOf(path); !kept.has(way); way = directoryOf(way)) {
    kept.add(way);
    if (way === top) return;
  }
}
