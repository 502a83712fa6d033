/** Paths that a receiver's own patterns protect from changes. */
import { below } from "../disk/below.ts";
import type { TreeView } from "../disk/tree-view.ts";
import { compileExcludes, type Exclusion, isExcludedWithin } from "../../wire/excludes.ts";

/** The protection of a member: its own exclude patterns also apply to what it receives. */
export class Protection {
  private readonly isExcluded: Exclusion;

  private constructor(isExcluded: Exclusion) {
    this.isExcluded = isExcluded;
  }

  /**
   * @param patterns see excludes.ts
   * @param base the base directory, a byte string
   * @returns undefined if there are no patterns, so that nothing has to be looked up
   */
  static of(patterns: readonly string[], base: string): Protection | undefined {
    return patterns.length === 0 ? undefined : new Protection(compileExcludes(patterns, base));
  }

  /** Whether nothing in a directory may be changed. */
  coversDirectory(path: string): boolean {
    return path !== "" && isExcludedWithin(this.isExcluded, path, true);
  }

  /** Whether an entry must not be changed, in a directory in which others may. */
  coversEntry(path: string, isDirectory: boolean): boolean {
    return this.isExcluded(path, isDirectory);
  }

  /** An entry below a directory that would be lost with it; undefined if nothing there is protected. */
  findBelow(tree: TreeView, top: string): string | undefined {
    for (const { path, stats } of below(tree, top))
      if (this.isExcluded(path, stats.isDirectory())) return path;
    return undefined;
  }
}
