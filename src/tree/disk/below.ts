/** Walks everything below a directory. */
import type { FileStats } from "../../sys/stat.ts";
import { errorCode } from "../../sys/system-error.ts";
import { PATH_BYTES } from "../../wire/limits.ts";
import { joinPath } from "../../wire/path-rules.ts";
import { reasonFor } from "../reasons/explain.ts";
import { StageError } from "../reasons/stage-error.ts";
import type { TreeView } from "./tree-view.ts";

/** An entry somewhere below a directory. */
export interface EntryBelow {
  readonly path: string;
  readonly stats: FileStats;
}

/**
 * Walks everything below a directory, each directory before its entries. Entries that vanish during the walk are
 * skipped. The walk is no deeper than the longest path, and holds the names of the directories that are still to be
 * read.
 *
 * @param enters says of a directory whether its entries are walked, too
 * @throws StageError if a directory cannot be read
 */
export function* below(
  tree: TreeView,
  top: string,
  enters: (entry: EntryBelow) => boolean = () => true,
): Generator<EntryBelow> {
  const pending = [top];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const name of namesOf(tree, directory)) {
      const path = joinPath(directory, name);
      if (path.length > PATH_BYTES) throw StageError.of("path-too-long", directory);
      const stats = tree.statIn(directory, name);
      if (stats === undefined) continue;
      const entry = { path, stats };
      yield entry;
      if (stats.isDirectory() && enters(entry)) pending.push(path);
    }
  }
}

function namesOf(tree: TreeView, directory: string): string[] {
  try {
    return tree.hasDirectory(directory) ? tree.list(directory) : [];
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw new StageError(reasonFor(error, directory));
  }
}
