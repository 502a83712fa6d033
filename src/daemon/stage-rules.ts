/** What the writing thread allows transfers, by the settings. */
import type { StageRules } from "./disk/messages.ts";
import type { Settings } from "./settings/settings.ts";

/** They hold for transfers that begin from now on. */
export function stageRules({ excludes, deleteLimit, hooks, undo, undoSizeBytes }: Settings): StageRules {
  const listsChanges = hooks.preCommit !== undefined || hooks.postCommit !== undefined;
  return { excludes, listsChanges, deleteLimit, undo: { pushes: undo, sizeBytes: undoSizeBytes } };
}
