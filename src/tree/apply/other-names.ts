/** The other names in the tree of files that an undo brings back. */
import type { FileStats } from "../../sys/stat.ts";
import { directoryOf, STAGING_NAME } from "../../wire/path-rules.ts";
import { below } from "../disk/below.ts";
import type { Directories } from "../disk/directories.ts";

/** So many files with several names are remembered; further ones come as files of their own where others get them. */
const MOST_FILES = 100_000;

/** Which paths a push was about. */
export interface PathsOfPush {
  readonly paths: readonly string[];
  readonly recursive: boolean;
  /** Whether an entry was left out; a directory that is left out is not entered. */
  isExcluded(path: string, isDirectory: boolean): boolean;
}

/** A file that comes back, and how many of its names are known. */
interface Known {
  links: number;
  found: number;
}

/**
 * A push that replaces one of several names of a file leaves the others alone. When it is taken back, the file has all its names
 * again. A host that gets the former files from here must get all of these names: it makes links only of those that come together.
 */
export class OtherNames {
  private readonly files = new Map<string, Known>();

  /**
   * A file comes back.
   *
   * @param stats before it was linked
   */
  note(stats: FileStats): void {
    if (!stats.isFile() || stats.links < 2) return;
    const file = fileOf(stats);
    const known = this.files.get(file);
    if (known !== undefined) known.found++;
    else if (this.files.size < MOST_FILES) this.files.set(file, { links: stats.links, found: 1 });
  }

  /**
   * Finds the names that do not come back, because they are there. Only if there are any, the tree is read.
   *
   * @param isLeft whether a path is not asked for: it comes back or goes, or is protected
   */
  *in(base: Directories, push: PathsOfPush, isLeft: (path: string) => boolean): Generator<string> {
    for (const [file, { links, found }] of this.files) if (links <= found) this.files.delete(file);
    if (this.files.size === 0) return;
    const isOther = (path: string, stats: FileStats) =>
      stats.links > 1 && this.files.has(fileOf(stats)) && !isLeft(path);
    for (const top of push.paths) {
      const stats = top === "" ? base.statDirectory("") : base.stat(top);
      if (stats === undefined || isLeftOut(push, top)) continue;
      if (stats.isFile() && isOther(top, stats)) yield top;
      if (!stats.isDirectory() || !push.recursive) continue;
      const enters = (entry: { readonly path: string }) =>
        entry.path !== STAGING_NAME && !push.isExcluded(entry.path, true);
      for (const entry of below(base, top, enters))
        if (entry.stats.isFile() && !push.isExcluded(entry.path, false) && isOther(entry.path, entry.stats))
          yield entry.path;
    }
  }
}

function isLeftOut(push: PathsOfPush, path: string): boolean {
  for (let way = directoryOf(path); way !== ""; way = directoryOf(way))
    if (push.isExcluded(way, true)) return true;
  return false;
}

function fileOf({ device, inode }: FileStats): string {
  return `${device}:${inode}`;
}
