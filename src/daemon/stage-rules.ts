/** What the writing thread allows transfers, by the settings. */
import type { StageRules } from "./disk/messages.ts";
import type { Settings } from "./settings/settings.ts";

/** They hold for transfers that begin from now on. */
export function stageRules(settings: Settings, isNewcomer: boolean): StageRules {
  const { excludes, deleteLimit, hooks, undo, undoSizeBytes } = settings;
  const listsChanges = hooks.preCommit !== undefined || hooks.postCommit !== undefined;
  const bounds = { pushes: undo, sizeBytes: undoSizeBytes };
  return { excludes, listsChanges, deleteLimit, isNewcomer, undo: bounds };
}
