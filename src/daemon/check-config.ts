/** Checks the settings without a start, and tells what the start of a service or a later reload would stumble over. */
import path from "node:path";
import { UserError } from "../base/user-error.ts";
import { readKeyFile } from "../net/key-file.ts";
import { ownUserName } from "../sys/own-user.ts";
import { hiddenPath } from "../sys/sandbox.ts";
import { checkState } from "./pushes/history.ts";
import { checkBase } from "./service/node-identity.ts";
import { dropPrivileges } from "./service/privileges.ts";
import { readServiceUnit, restrictionOf, type ServiceUnit } from "./service/service-unit.ts";
import { readConfig } from "./settings/config.ts";
import { placed, withPlace } from "./settings/places.ts";
import { isReload } from "./settings/running-daemon.ts";
import type { Settings } from "./settings/settings.ts";
import type { SettingKey } from "./settings/settings-table.ts";

/**
 * Checks as much as a start does before it opens the network: the directories as the user that the daemon becomes.
 *
 * @param unit of the service; undefined if it is not installed
 * @returns what a start from a shell does not mind, a sentence each
 * @throws UserError for what no start would take
 */
export function checkConfig(
  settings: Settings,
  configFile: string | undefined,
  unit: ServiceUnit | undefined = readServiceUnit(),
): string[] {
  const { keyFile, places, identity, keepOwner } = settings;
  if (keyFile !== undefined) withPlace(places.key, "key", () => readKeyFile(keyFile));
  // This process has nothing else to do afterwards.
  if (identity !== undefined && identity.uid !== process.geteuid?.()) dropPrivileges(identity, keepOwner);
  // A start reads the files before it becomes another user, and a reload after that.
  const unreadable = unreadableConfig(configFile);
  checkBase(settings);
  if (settings.state.isRequired) withPlace(places.state, "state", () => checkState(settings.state));
  const restricted = unit === undefined ? [] : restrictedPaths(settings, unit);
  return [...unreadable, ...restricted];
}

/** @throws UserError at a reload, which needs the files now */
function unreadableConfig(configFile: string | undefined): string[] {
  try {
    readConfig(configFile);
    return [];
  } catch (error) {
    if (!(error instanceof UserError) || isReload(process.env)) throw error;
    const user = ownUserName() ?? String(process.geteuid?.());
    return [`${error.message}; a reload reads it as the user ${user}, and fails until then`];
  }
}

/** The paths that a service would not see, or could not write. */
function restrictedPaths(settings: Settings, unit: ServiceUnit): string[] {
  const { base, keyFile, places, receives, state, socket, hooks } = settings;
  const sentences: string[] = [];
  const look = (key: SettingKey, file: string | undefined, writes: boolean) => {
    const found = file === undefined ? undefined : restrictionOf(unit, file, writes);
    if (file === undefined || found === undefined) return;
    const sentence = found.isHidden ? hiddenPath(file, found.line) : readOnlyPath(file, found.line);
    sentences.push((placed(sentence, places[key], key) as UserError).message);
  };
  look("base", base, receives);
  look("key", keyFile, false);
  if (state.isRequired) look("state", state.directory, true);
  // Each start makes it again.
  look("socket", socket === undefined ? undefined : path.dirname(socket), true);
  look("pre-commit", hooks.preCommit, false);
  look("post-commit", hooks.postCommit, false);
  return sentences;
}

function readOnlyPath(file: string, line: string): UserError {
  return new UserError(
    `${file} is read-only for the service: name another place, or write ${line} below [Service] in 'systemctl edit makuosan'`,
  );
}
