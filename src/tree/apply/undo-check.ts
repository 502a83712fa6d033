/** Whether a kept area is still whole. */
import type { Directories } from "../disk/directories.ts";
import { StageError } from "../reasons/stage-error.ts";
import { contentsOf } from "./kept-contents.ts";
import type { StagingRules } from "./staging-root.ts";
import { recordIn } from "./undo-records.ts";

/**
 * Looks through a kept area, step by step: something may have been deleted from it, or damaged, since. A missing entry would be
 * taken for a path that was not there before the push, and deleted; a missing list for a push that has changed nothing.
 *
 * @param area stays open
 * @param undone the name of its transfer
 * @throws StageError if the area is not as it was kept, or an error with a code if it cannot be read
 */
export function* checkKept(area: Directories, rules: StagingRules, undone: string): Generator<undefined> {
  const record = recordIn(area.disk, area.root, rules);
  const { check } = yield* contentsOf(area);
  if (record?.check !== check) throw StageError.of("undo-damaged", undefined, undone);
}
