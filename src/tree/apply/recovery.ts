/** Recovers staging areas after a crash: a commit that had begun is finished, one that was ready may be kept, all else is removed. */
import type { Reason } from "../../base/reason.ts";
import { finish } from "../../base/steps.ts";
import { errorCode } from "../../sys/system-error.ts";
import { joinPath, STAGING_NAME } from "../../wire/path-rules.ts";
import type { Directories } from "../disk/directories.ts";
import { removeStagingDirectory } from "../disk/staging-directory.ts";
import type { AttributeRules } from "../entries/attributes.ts";
import { pathOfError, reasonFor } from "../reasons/explain.ts";
import { Committer } from "./commit.ts";
import { TRANSFER_NAME } from "./failed-commits.ts";
import { keepArea } from "./keep-area.ts";
import { removeArea } from "./leftovers.ts";
import { MOST_KEPT } from "./ready-areas.ts";
import { removeFoundArea } from "./lists-of-steps.ts";
import { StagingArea } from "./staging-area.ts";
import { openStagingRoot } from "./staging-root.ts";
import { UNDO_NAME } from "./undo-areas.ts";

/** A commit that a crash had interrupted. */
export interface RecoveredTransfer {
  /** The name of its area, which is that of the transfer. */
  readonly name: string;
  /** Why a part of it failed; undefined if everything is done. */
  readonly failure: Reason | undefined;
  /** Whether its area could not be read at all and was left as it is. */
  readonly isLeft: boolean;
}

/** What a start has found in BASE/.makuosan beside its own transfers. */
export interface RecoveryHearers {
  /** Called with the new name of a BASE/.makuosan of somebody else, which was moved out of the way unread. */
  readonly onMoved?: (name: string) => void;
  /** Called for each entry that no transfer has left there. It stays as it is. */
  readonly onStrange?: (name: string) => void;
  /** Called for each area that is kept because its transfer was ready. Without it, none is. */
  readonly onKept?: (name: string) => void;
  /** Called for each commit that is finished, and cannot be taken back although it was to be. */
  readonly onUnkept?: (name: string) => void;
}

/** The form of the names of directories that are being removed; they are never read. */
const BEING_REMOVED = /^\.removed-[0-9]+$/;

/**
 * Finishes commits that had begun, and removes everything else that transfers have left in the staging area. Other entries
 * stay: a user who may rename directories of root could otherwise have them removed under this name.
 */
export function recover(
  base: Directories,
  rules: AttributeRules,
  { onMoved, onStrange, onKept, onUnkept }: RecoveryHearers = {},
): RecoveredTransfer[] {
  if (base.stat(STAGING_NAME) === undefined) return [];
  const { disk } = base;
  const root = openStagingRoot(base, { keepOwner: rules.keepOwner, onMoved });
  const finished: RecoveredTransfer[] = [];
  const ready: string[] = [];
  try {
    // A commit that is finished here changes the tree under the plans of the others. These go first: another crash must not leave
    // them alone.
    const names = disk.list(root);
    const begun = new Set(names.filter((name) => TRANSFER_NAME.test(name) && isBegun(base, name, rules)));
    const mostKept = onKept === undefined || begun.size > 0 ? 0 : MOST_KEPT;
    for (const name of [...names.filter((one) => !begun.has(one)), ...begun]) {
      // Bounds of what is kept are looked at afterwards.
      if (UNDO_NAME.test(name)) continue;
      const isTransfer = TRANSFER_NAME.test(name);
      const isDirectory = disk.stat(root, name)?.isDirectory() === true;
      if (!isDirectory || !(isTransfer || BEING_REMOVED.test(name))) {
        onStrange?.(name);
        continue;
      }
      try {
        const area = isTransfer ? StagingArea.open(base, name, rules) : undefined;
        if (area === undefined) removeFoundArea(disk, root, name);
        else if (ready.length < mostKept && isUntouched(base, area, rules)) {
          area.close();
          ready.push(name);
        } else recoverArea(base, area, rules, finished, onUnkept);
      } catch (error) {
        // An unreadable area must not stop the recovery of the others.
        finished.push(leftArea(name, error));
      }
    }
  } finally {
    disk.closeDirectory(root);
  }
  // A commit that was just finished may have changed the tree under their plans.
  const isKept = finished.length === 0;
  for (const name of ready) {
    if (isKept) onKept?.(name);
    else removeReady(base, name, rules, finished);
  }
  removeStagingDirectory(disk, base.root);
  return finished;
}

/** When the commit in an area was finished: the last name in it has changed then. */
function changedMs({ disk }: Directories, area: StagingArea): number {
  return Number(disk.statDirectory(area.handle).mtimeNs / 1_000_000n);
}

/** Removes an area that is not kept after all; one that cannot be removed is left. */
function removeReady(
  base: Directories,
  name: string,
  rules: AttributeRules,
  finished: RecoveredTransfer[],
): void {
  try {
    removeArea(base, name, rules);
  } catch (error) {
    finished.push(leftArea(name, error));
  }
}

function leftArea(name: string, error: unknown): RecoveredTransfer {
  const failure = reasonFor(error, pathOfError(error) ?? joinPath(STAGING_NAME, name));
  return { name, failure, isLeft: true };
}

/** Whether a commit had begun, and was not finished; false also if that cannot be read. */
function isBegun(base: Directories, name: string, rules: AttributeRules): boolean {
  try {
    const area = StagingArea.open(base, name, rules);
    if (area === undefined) return false;
    try {
      return area.has("commit") || (area.has("ready") && new Committer(base, area, rules).hasBegun());
    } finally {
      area.close();
    }
  } catch (error) {
    errorCode(error);
    return false;
  }
}

/** Whether a transfer was ready, and nothing has changed the tree since. */
function isUntouched(base: Directories, area: StagingArea, rules: AttributeRules): boolean {
  return area.has("ready") && !area.isPassed && !new Committer(base, area, rules).hasBegun();
}

/** Finishes one commit, if it had begun, and removes its area. */
function recoverArea(
  base: Directories,
  area: StagingArea,
  rules: AttributeRules,
  finished: RecoveredTransfer[],
  onUnkept: RecoveryHearers["onUnkept"],
): void {
  const committer = new Committer(base, area, rules);
  if (area.has("ready") && committer.hasBegun()) committer.begin();
  const isInterrupted = area.has("commit");
  let [isKept, wasKeeping] = [false, false];
  if (isInterrupted || area.has("done")) {
    committer.lookForKeeping(isInterrupted);
    wasKeeping = committer.keeping !== undefined;
    if (isInterrupted) committer.apply(true);
    // Entries that cannot be deleted would stay in the area for good.
    const failure = finish(committer.clear());
    isKept = committer.isKept;
    if (isInterrupted || failure !== undefined) finished.push({ name: area.name, failure, isLeft: false });
  }
  if (isKept) isKept = finish(keepArea(base, rules, area, changedMs(base, area))) === undefined;
  else area.remove();
  if (wasKeeping && !isKept) onUnkept?.(area.name);
}
