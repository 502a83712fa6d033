/** What a receiver's own patterns keep as it is. */
import { below } from "../disk/below.ts";
import type { TreeView } from "../disk/tree-view.ts";
import { compileExcludes, type Exclusion, isExcludedWithin } from "../entries/excludes.ts";

/** What a member keeps for itself: its own exclude patterns hold for what it receives, too. */
export class Protection {
  private readonly isExcluded: Exclusion;

  private constructor(isExcluded: Exclusion) {
    this.isExcluded = isExcluded;
  }

  /**
   * @param patterns see excludes.ts
   * @param base the base directory, a byte string
   * @returns undefined where there are none, so that nothing has to be looked at
   */
  static of(patterns: readonly string[], base: string): Protection | undefined {
    return patterns.length === 0 ? undefined : new Protection(compileExcludes(patterns, base));
  }

  /** Whether nothing in a directory may be changed. */
  coversDirectory(path: string): boolean {
    return path !== "" && isExcludedWithin(this.isExcluded, path, true);
  }

  /** Whether an entry may not be changed, in a directory where others may. */
  coversEntry(path: string, isDirectory: boolean): boolean {
    return this.isExcluded(path, isDirectory);
  }

  /** Some entry below a directory that would be lost with it; undefined where nothing there is kept. */
  findBelow(tree: TreeView, top: string): string | undefined {
    for (const { path, stats } of below(tree, top))
      if (this.isExcluded(path, stats.isDirectory())) return path;
    return undefined;
  }
}
