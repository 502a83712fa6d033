/** Recovers staging areas after a crash: a commit that had begun is finished, everything else is removed. */
import type { Reason } from "../../base/reason.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import type { Directories } from "../disk/directories.ts";
import { removeEntry } from "../disk/remove.ts";
import type { AttributeRules } from "../entries/attributes.ts";
import { reasonFor } from "../reasons/explain.ts";
import { Committer } from "./commit.ts";
import { openStagingRoot, removeStagingRoot, StagingArea, TRANSFER_NAME } from "./staging-area.ts";

/** A commit that a crash had interrupted. */
export interface RecoveredTransfer {
  /** The name of its area, which is that of the transfer. */
  readonly name: string;
  /** Why a part of it failed; undefined if everything is done. */
  readonly failure: Reason | undefined;
  /** Whether its area could not be read at all and was left as it is. */
  readonly isLeft: boolean;
}

/** Finishes commits that had begun, and removes everything else in the staging area. */
export function recover(base: Directories, rules: AttributeRules): RecoveredTransfer[] {
  if (base.stat(STAGING_NAME) === undefined) return [];
  const { disk } = base;
  const root = openStagingRoot(base);
  const finished: RecoveredTransfer[] = [];
  try {
    for (const name of disk.list(root)) {
      if (disk.stat(root, name)?.isDirectory() !== true) continue;
      try {
        const area = TRANSFER_NAME.test(name) ? StagingArea.open(base, name) : undefined;
        if (area === undefined) removeEntry(disk, root, name);
        else recoverArea(base, area, rules, finished);
      } catch (error) {
        // An unreadable area must not stop the recovery of the others.
        finished.push({ name, failure: reasonFor(error), isLeft: true });
      }
    }
  } finally {
    disk.closeDirectory(root);
  }
  removeStagingRoot(base);
  return finished;
}

/** Finishes one commit, if it had begun, and removes its area. */
function recoverArea(
  base: Directories,
  area: StagingArea,
  rules: AttributeRules,
  finished: RecoveredTransfer[],
): void {
  const committer = new Committer(base, area, rules);
  if (area.has("ready") && committer.hasBegun()) committer.begin();
  if (area.has("commit")) {
    const failure = committer.apply(true);
    finished.push({ name: area.name, failure, isLeft: false });
  }
  area.remove();
}
