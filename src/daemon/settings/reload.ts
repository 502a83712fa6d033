/** What a reload takes over of new settings, and what it leaves to the next start. */
import { isDeepStrictEqual } from "node:util";
import type { Settings } from "./settings.ts";
import { SETTINGS, type SettingKey, type TableSetting, type Values } from "./settings-table.ts";

/** The settings whose values have changed, by their keys. */
export interface Changes {
  /** They hold now. */
  readonly taken: readonly SettingKey[];
  /** They need a restart. */
  readonly left: readonly SettingKey[];
}

/**
 * Takes over those of the new settings that need no restart.
 *
 * @param present the settings that the daemon works with; they are changed in place, so that every part sees it
 * @param next the same as the files say now, checked
 */
export function takeOver(present: Settings, next: Settings): Changes {
  const entries = Object.entries<TableSetting>(SETTINGS) as [keyof Values, TableSetting][];
  const changed = entries.filter(([name]) => !isDeepStrictEqual(present.asked[name], next.asked[name]));
  const taken = changed.filter(([, { reload }]) => reload);
  const left = changed.filter(([, { reload }]) => !reload);
  const {
    logLevel,
    labels,
    excludes,
    compression,
    rateMbps,
    deleteLimit,
    ownerMatch,
    parallel,
    hooks,
    undo,
    undoSizeBytes,
  } = next;
  const asked = { ...present.asked, ...Object.fromEntries(taken.map(([name]) => [name, next.asked[name]])) };
  const limits = { compression, rateMbps, deleteLimit, parallel, undo, undoSizeBytes };
  const renewed = { logLevel, labels, excludes, ownerMatch, hooks, ...limits, asked };
  Object.assign(present, renewed);
  return { taken: taken.map(([, { key }]) => key), left: left.map(([, { key }]) => key) };
}
