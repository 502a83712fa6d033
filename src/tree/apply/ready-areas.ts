/** Areas of transfers that were ready when the daemon died: they stay until it is known whether to commit them. */
import { type Reason, reason } from "../../base/reason.ts";
import { errorCode } from "../../sys/system-error.ts";
import { directoryOf } from "../../wire/path-rules.ts";
import { EntryType } from "../../wire/entry.ts";
import { StepKind } from "../decide/decision.ts";
import type { Protection } from "../decide/protection.ts";
import type { Directories } from "../disk/directories.ts";
import { removeEntry } from "../disk/remove.ts";
import type { AttributeRules } from "../entries/attributes.ts";
import { StageError } from "../reasons/stage-error.ts";
import { Committer } from "./commit.ts";
import { retireFailedCommits } from "./failed-commits.ts";
import { keepArea } from "./keep-area.ts";
import { BEFORE, beginKeeping } from "./keeping.ts";
import { StagingArea } from "./staging-area.ts";
import { removeUndoArea } from "./undo-areas.ts";
import { readUndoList, type UndoList } from "./undo-list.ts";
import { readMarks } from "./undo-records.ts";

/** So many areas are kept. Each takes as much space as its transfer brings, and a server has seldom more of them at a time. */
export const MOST_KEPT = 8;

/** Why an area cannot be committed that something else has replaced. */
const PASSED = reason("newer-push");

/** An area that is being committed after a start. */
export interface ResumedCommit {
  /** What is left to do after the switch; its result is why a part of the commit has failed. */
  clear(): Generator<undefined, Reason | undefined>;
  /** Removes the area, step by step; or keeps in it what has left the tree, and returns "too full" if there is no room for that. */
  removal(): Generator<undefined, "too full" | undefined>;
  /** Why a part of the switch has failed. */
  readonly failure: Reason | undefined;
  /** What it has brought, if it is an undo. */
  readonly list: UndoList | undefined;
  /** The first path of which the old entry could not be kept, if it was to be; empty if there was no room to keep anything. */
  readonly lacking: string | undefined;
}

/** The names of areas that a start has kept. Each commit of another transfer takes all of them away. */
export class ReadyAreas {
  private readonly names = new Set<string>();

  add(name: string): void {
    this.names.add(name);
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  get all(): string[] {
    return [...this.names];
  }

  /**
   * Switches to what an area holds.
   *
   * @param protection the paths that stay as they are on this member; the patterns may be others since the start
   * @param keptNumber the number among those that keep what they replace or delete; undefined if it keeps nothing
   * @param onWork called after each step
   * @throws StageError if it is gone, or something of it must not be changed; then nothing has changed
   */
  commit(
    base: Directories,
    rules: AttributeRules,
    name: string,
    protection: Protection | undefined,
    keptNumber: number | undefined,
    onWork: () => void,
  ): ResumedCommit {
    const area = this.names.has(name) ? StagingArea.open(base, name, rules) : undefined;
    if (area === undefined) throw new StageError(PASSED);
    try {
      if (!area.has("ready") || area.isPassed) throw new StageError(PASSED);
      if (protection !== undefined) checkProtected(base, area, protection);
      retireFailedCommits(base, rules);
      const keeps = keptNumber !== undefined && beginKeeping(base, area, rules, { number: keptNumber });
      if (keptNumber === undefined) removeEntry(base.disk, area.handle, BEFORE);
      const committer = new Committer(base, area, rules, onWork);
      committer.begin();
      this.names.delete(name);
      const failure = committer.apply();
      const list = failure === undefined ? endUndo(base, area, rules, onWork) : undefined;
      const atMs = Date.now();
      const isUnkept = keptNumber !== undefined && !keeps;
      const lacking = isUnkept ? "" : committer.keeping?.lacking;
      const removal = () => removalOf(base, rules, area, committer.isKept ? atMs : undefined);
      return { failure, list, lacking, clear: () => committer.clear(), removal };
    } catch (error) {
      area.close();
      throw error;
    }
  }

  /** Removes an area, step by step. After the first step no start can commit it any more. */
  *discard(base: Directories, rules: AttributeRules, name: string): Generator<undefined> {
    if (!this.names.delete(name)) return;
    const area = StagingArea.open(base, name, rules);
    if (area !== undefined) yield* area.removal();
  }
}

/** The files of an undo that came back are not kept any more, as at the end of its commit otherwise. Returns what it has brought. */
function endUndo(
  base: Directories,
  area: StagingArea,
  rules: AttributeRules,
  onWork: () => void,
): UndoList | undefined {
  const { undone, keptAs } = readMarks(base.disk, area.handle, rules);
  if (undone === undefined || keptAs !== undefined) return undefined;
  const list = readUndoList(base.disk, area.handle, rules);
  try {
    for (const _ of removeUndoArea(base, rules, undone)) onWork();
  } catch (error) {
    errorCode(error);
  }
  return list;
}

function* removalOf(
  base: Directories,
  rules: AttributeRules,
  area: StagingArea,
  keptMs: number | undefined,
): Generator<undefined, "too full" | undefined> {
  if (keptMs !== undefined) return yield* keepArea(base, rules, area, keptMs);
  yield* area.removal();
  return undefined;
}

function checkProtected(base: Directories, area: StagingArea, protection: Protection): void {
  for (const { kind, path, type } of area.readJournal("ready")) {
    if (kind === StepKind.goes) continue;
    const isCovered =
      protection.coversDirectory(directoryOf(path)) ||
      protection.coversEntry(path, type === EntryType.directory);
    const replaces = kind === StepKind.place || kind === StepKind.remove;
    const holds = (tree: Directories) => replaces && holdsProtected(tree, path, protection);
    if (isCovered || holds(base) || holds(area.tree)) throw new StageError(PASSED);
  }
}

function holdsProtected(tree: Directories, path: string, protection: Protection): boolean {
  return tree.stat(path)?.isDirectory() === true && protection.findBelow(tree, path) !== undefined;
}
