/** The changes that a transfer is going to carry out, for readers beside its own stage. */
import { errorCode } from "../../sys/system-error.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import { type Step, StepKind } from "../decide/decision.ts";
import type { Directories } from "../disk/directories.ts";
import type { DirectoryHandle } from "../disk/disk.ts";
import { readJournal } from "./journal.ts";

/** A change of the tree: something comes to a path, or goes. */
export interface ReadyChange {
  readonly path: string;
  readonly isPlaced: boolean;
}

/**
 * Reads the changes of a transfer that is ready. It makes nothing, so it can be called from another thread than the one
 * that stages.
 *
 * @param name of its area
 * @returns nothing if the transfer has nothing to change
 */
export function readyChanges(base: Directories, name: string): Iterable<ReadyChange> {
  const { disk } = base;
  const opened: DirectoryHandle[] = [];
  try {
    for (const step of [STAGING_NAME, name])
      opened.push(disk.openDirectory(opened.at(-1) ?? base.root, step));
    const file = disk.openFile(opened.at(-1) ?? base.root, "ready", "read");
    return changesOf(readJournal(disk, () => file));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  } finally {
    for (const directory of opened) disk.closeDirectory(directory);
  }
}

/**
 * The changes of some steps. Attributes of directories are left out: transfers into one directory would mostly be in each
 * other's way.
 */
export function* changesOf(steps: Iterable<Step>): Generator<ReadyChange> {
  for (const { kind, path } of steps)
    if (kind === StepKind.place || kind === StepKind.remove)
      yield { path, isPlaced: kind === StepKind.place };
}
