/** The steps that a transfer is going to carry out, for readers beside its own stage. */
import { errorCode } from "../../sys/system-error.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import type { Step } from "../decide/decision.ts";
import type { Directories } from "../disk/directories.ts";
import type { DirectoryHandle } from "../disk/disk.ts";
import { readJournal } from "./journal.ts";

/**
 * Reads the steps of a transfer that is ready. It makes nothing, so it can be called from another thread than the one
 * that stages.
 *
 * @param name of its area
 * @returns nothing if the transfer has nothing to change
 */
export function readySteps(base: Directories, name: string): Step[] | Generator<Step> {
  const { disk } = base;
  const opened: DirectoryHandle[] = [];
  try {
    for (const step of [STAGING_NAME, name])
      opened.push(disk.openDirectory(opened.at(-1) ?? base.root, step));
    const area = opened.at(-1) as DirectoryHandle;
    const file = disk.openFile(area, "ready", "read");
    return readJournal(disk, () => file);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  } finally {
    for (const directory of opened) disk.closeDirectory(directory);
  }
}
