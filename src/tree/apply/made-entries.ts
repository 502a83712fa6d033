/** Tells the entries that a push has made from those that others have put beside them since. */
import { directoryOf, joinPath } from "../../wire/path-rules.ts";
import { below } from "../disk/below.ts";
import type { Directories } from "../disk/directories.ts";
import { PathSet } from "../entries/path-set.ts";
import { readJournal } from "./journal.ts";
import { MADE } from "./keeping.ts";

/** The entries of a directory that holds some of others as well. */
export interface MixedDirectory {
  /** Entries that the push has made, the highest alone: nothing in them is of others. */
  readonly goes: readonly string[];
  /** The directories that hold something of others, at any depth. */
  readonly stays: Iterable<string>;
  /** One of the entries of others. */
  readonly example: string;
}

/** The list of a kept area (keeping.ts). */
export class MadeEntries {
  private readonly area: Directories;
  private paths: PathSet | undefined;

  /** @param area open as long as this is used */
  constructor(area: Directories) {
    this.area = area;
  }

  /** @returns undefined if the push has made everything in a directory */
  mixed(base: Directories, top: string): MixedDirectory | undefined {
    const made = (this.paths ??= this.read());
    const stays = new Set<string>();
    let example: string | undefined;
    for (const { path } of below(base, top)) {
      if (made.has(path)) continue;
      example ??= path;
      for (let way = directoryOf(path); !stays.has(way); way = directoryOf(way)) {
        stays.add(way);
        if (way === top) break;
      }
    }
    if (example === undefined) return undefined;
    const goes: string[] = [];
    for (const directory of stays)
      for (const path of base.list(directory).map((name) => joinPath(directory, name)))
        if (made.has(path) && !stays.has(path)) goes.push(path);
    return { goes, stays, example };
  }

  private read(): PathSet {
    const paths = new PathSet();
    const { disk, root } = this.area;
    if (disk.stat(root, MADE) === undefined) return paths;
    for (const { hashes } of readJournal(disk, () => disk.openFile(root, MADE, "read")))
      if (hashes !== undefined) paths.addHashes(hashes);
    return paths;
  }
}
