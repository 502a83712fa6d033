/** Every setting, once: its entry is the only place that tells its key, options, form, default and sentences. */
import { HOOKS } from "./settings-table/hooks.ts";
import { NETWORK } from "./settings-table/network.ts";
import { SERVICE } from "./settings-table/service.ts";
import { TRANSFERS } from "./settings-table/transfers.ts";
import type { Setting, ValueOf } from "./setting.ts";

/** The settings by the names of their values, in the order in which documents list them. */
export const SETTINGS = { ...SERVICE, ...NETWORK, ...TRANSFERS, ...HOOKS } as const;

type Table = typeof SETTINGS;

export type SettingKey = Table[keyof Table]["key"];

/** A setting of the table, whichever it is. */
export type TableSetting = Setting & { readonly key: SettingKey };

/** The final values of all settings. */
export type Values = { readonly [Name in keyof Table]: ValueOf<Table[Name]> };

/** The same settings as a list, for code that treats all of them alike. */
export const ALL_SETTINGS: readonly TableSetting[] = Object.values(SETTINGS);
