import { UserError } from "../base/user-error.ts";
import { statEntry } from "../sys/stat.ts";
import type { Terms } from "../wire/terms.ts";
import { directoryOf, joinPath, nameOf, STAGING_NAME } from "../wire/path-rules.ts";
import type { Directories } from "./directories.ts";
import { compileExcludes, EXCLUDE_BYTES, type Exclusion } from "./excludes.ts";
import type { Protection } from "./protection.ts";
import { namesIn } from "./remove.ts";
import { StageError } from "./stage-error.ts";

/** How much of what a transfer looks at it may delete. */
export interface DeleteLimit {
  /** So many entries at least. */
  readonly entries: number;
  /** And this share of them; undefined where the number alone counts. */
  readonly percent: number | undefined;
}

/** Half of the entries, and a hundred in any case. */
export const DEFAULT_DELETE_LIMIT: DeleteLimit = { entries: 100, percent: 50 };

/** Throws where something cannot be deleted. */
export type Obstacle = (path: string) => void;

/**
 * Finds out what a member has and its sender has not, a directory at a time: the entries of a directory come together, and
 * their end is marked. What the patterns of either side exclude stays, and so do the directories that it is in.
 */
export class Superfluous {
  private readonly base: Directories;
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

  constructor(base: Directories, protection: Protection | undefined) {
    this.base = base;
    this.protection = protection;
  }

  /** Takes over what stands before the entries of a manifest. */
  accept(terms: Terms | undefined, patterns: readonly string[]): void {
    this.terms ??= terms;
    this.patternBytes += patterns.reduce((sum, pattern) => sum + pattern.length + 1, 0);
    if (this.patternBytes > 2 * EXCLUDE_BYTES) throw new StageError("the sender has too many patterns");
    this.patterns.push(...patterns);
    if (patterns.length > 0) this.isExcluded = undefined;
  }

  /** @throws StageError where the sender deletes and has not said so before */
  checkExpected(): void {
    if (this.terms === undefined) throw new StageError("the sender deletes without any terms");
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
   * What is superfluous in a directory, now that all its entries are known: paths that can be deleted with all that is in them.
   *
   * @param obstacle called with each entry
   */
  *in(directory: string, obstacle: Obstacle): Generator<string> {
    const isKnown = directory === this.directory;
    const descriptor = this.base.find(directory);
    if (descriptor === undefined) return;
    for (const name of namesIn(descriptor)) {
      if (directory === "" && name === STAGING_NAME) continue;
      if (isKnown && this.seen.has(name)) this.inScope++;
      else yield* this.removalsOf(joinPath(directory, name), obstacle);
    }
  }

  /** A path as one, or what can be deleted of it where something in it stays. */
  *removalsOf(path: string, obstacle: Obstacle): Generator<string> {
    const isDirectory = this.isDirectory(path);
    if (this.stays(path, isDirectory)) return;
    const count = this.countWhole(path, isDirectory, obstacle);
    this.inScope += count ?? 1;
    if (count !== undefined) {
      this.found += count;
      yield path;
      return;
    }
    for (const name of namesIn(this.base.descriptor(path))) {
      yield* this.removalsOf(joinPath(path, name), obstacle);
    }
  }

  /** A path that is to be deleted, and all below it. */
  *pathsOf(path: string): Generator<string> {
    yield path;
    if (!this.isDirectory(path)) return;
    for (const name of namesIn(this.base.descriptor(path))) yield* this.pathsOf(joinPath(path, name));
  }

  /**
   * A sentence where more would be deleted than may be.
   *
   * @param limit what this member allows
   */
  excess(limit: DeleteLimit): string | undefined {
    const share = limit.percent === undefined ? 0 : Math.floor((this.inScope * limit.percent) / 100);
    const most = Math.max(limit.entries, share);
    if (this.terms?.isForced === true || this.found <= most) return undefined;
    return (
      `${this.found} of ${this.inScope} entries would be deleted, and ${most} may be (delete-limit): ` +
      "add --force-delete if that is what you want"
    );
  }

  /** How many entries a path stands for; undefined where something in it stays, and so the directory does. */
  private countWhole(path: string, isDirectory: boolean, obstacle: Obstacle): number | undefined {
    obstacle(path);
    let count = 1;
    if (!isDirectory) return count;
    for (const name of namesIn(this.base.descriptor(path))) {
      const child = joinPath(path, name);
      const isChildDirectory = this.isDirectory(child);
      if (this.stays(child, isChildDirectory)) return undefined;
      const below = this.countWhole(child, isChildDirectory, obstacle);
      if (below === undefined) return undefined;
      count += below;
    }
    return count;
  }

  private isDirectory(path: string): boolean {
    return statEntry(this.base.descriptor(directoryOf(path)), nameOf(path))?.isDirectory() === true;
  }

  private stays(path: string, isDirectory: boolean): boolean {
    this.isExcluded ??= this.compile();
    return this.isExcluded(path, isDirectory) || this.protection?.coversEntry(path, isDirectory) === true;
  }

  private compile(): Exclusion {
    try {
      return compileExcludes(this.patterns, this.terms?.base ?? "");
    } catch (error) {
      if (error instanceof UserError) throw new StageError(`the sender's patterns: ${error.message}`);
      throw error;
    }
  }
}
