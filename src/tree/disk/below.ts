/** Walks all that is below a directory. */
import { type FileStats, statEntry } from "../../sys/stat.ts";
import { PATH_BYTES } from "../../wire/limits.ts";
import { joinPath } from "../../wire/path-rules.ts";
import { errorCode } from "../../sys/system-error.ts";
import type { Directories } from "./directories.ts";
import { explain } from "../reasons/explain.ts";
import { namesIn } from "./remove.ts";
import { StageError } from "../reasons/stage-error.ts";

/** An entry somewhere below a directory. */
export interface EntryBelow {
  readonly path: string;
  readonly stats: FileStats;
}

/**
 * Walks all that is below a directory, a directory before what is in it. What vanishes meanwhile is passed over. The walk
 * is no deeper than a path may be long, and holds the names of directories that are still to be read.
 *
 * @param enters says of a directory whether what is in it is to be walked, too
 * @throws StageError where a directory cannot be read
 */
export function* below(
  base: Directories,
  top: string,
  enters: (entry: EntryBelow) => boolean = () => true,
): Generator<EntryBelow> {
  const pending = [top];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const name of namesOf(base, directory)) {
      const path = joinPath(directory, name);
      if (path.length > PATH_BYTES) throw new StageError(`${directory}: what is in it has too long a path`);
      const parent = base.find(directory);
      const stats = parent === undefined ? undefined : statEntry(parent, name);
      if (stats === undefined) continue;
      const entry = { path, stats };
      yield entry;
      if (stats.isDirectory() && enters(entry)) pending.push(path);
    }
  }
}

function namesOf(base: Directories, directory: string): string[] {
  try {
    const descriptor = base.find(directory);
    return descriptor === undefined ? [] : namesIn(descriptor);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw new StageError(`${directory === "" ? "the base directory" : directory}: ${explain(error)}`);
  }
}
