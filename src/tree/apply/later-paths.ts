/** The paths that later publications have left as they are on this host, so that nothing older replaces them. */
import { directoryOf } from "../../wire/path-rules.ts";
import { keyOf, Listed, type ListRow } from "../entries/published-list.ts";

/** What one list says of paths. */
class LaterList {
  private readonly given = new Set<number>();
  private readonly gone = new Set<number>();
  private readonly named = new Set<number>();
  private readonly complete = new Set<number>();
  private readonly directories = new Set<number>();

  constructor(rows: readonly ListRow[]) {
    for (const { kind, key } of rows) {
      if (kind === Listed.directory) this.directories.add(key);
      if (kind === Listed.complete) this.complete.add(key);
      if (kind === Listed.given) this.given.add(key);
      if (kind === Listed.gone) this.gone.add(key);
      if (kind === Listed.kept || kind === Listed.passage) this.named.add(key);
    }
  }

  has(path: string, isDirectory: (path: string) => boolean): boolean {
    for (let at = path; at !== ""; at = directoryOf(at)) {
      const key = keyOf(at);
      // Nothing of a directory is below a file that has its place.
      if (this.given.has(key)) return at === path || !isDirectory(at);
      if (this.gone.has(key)) return true;
      if (this.named.has(key)) return false;
      // It was deleted, or was not there.
      if (this.complete.has(keyOf(directoryOf(at)))) return true;
    }
    return false;
  }

  hasIn(directory: string): boolean {
    return this.directories.has(keyOf(directory));
  }
}

export class LaterPaths {
  private readonly lists: readonly LaterList[];
  readonly isDirectory: (path: string) => boolean;

  /** @param isDirectory whether there is a directory of a path now */
  constructor(lists: readonly (readonly ListRow[])[], isDirectory: (path: string) => boolean) {
    this.lists = lists.map((rows) => new LaterList(rows));
    this.isDirectory = isDirectory;
  }

  /** Whether a later publication says what is at a path: that it is as it is, or that nothing is there. */
  has(path: string): boolean {
    return this.lists.some((list) => list.has(path, this.isDirectory));
  }

  /** Whether a later publication has entries in a directory: it may have given that the time that it has now. */
  hasIn(directory: string): boolean {
    return this.lists.some((list) => list.hasIn(directory));
  }
}
