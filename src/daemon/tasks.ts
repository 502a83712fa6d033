/** Work of the command makuosan that ends without starting a daemon. */
import fs from "node:fs";
import { bytesOfText, displayText } from "../base/display.ts";
import { UserError } from "../base/user-error.ts";
import { readKeyFile } from "../net/key-file.ts";
import { writeOutput } from "../sys/output.ts";
import { checkState } from "./pushes/history.ts";
import { checkBase } from "./service/node-identity.ts";
import { dropPrivileges } from "./service/privileges.ts";
import { setValues } from "./settings/config-editor.ts";
import { DEFAULT_CONFIG, readConfig } from "./settings/config.ts";
import type { DaemonArguments, Task } from "./settings/options.ts";
import { isReload } from "./settings/running-daemon.ts";
import type { Settings } from "./settings/settings.ts";
import { withPlace } from "./settings/places.ts";
import { inEnglish, type Speak } from "./speech.ts";
import { importSysconfig } from "./settings/sysconfig.ts";

/**
 * Carries out a task.
 *
 * @param load reads and checks all settings
 * @param speak translates sentences
 * @throws UserError
 */
export function carryOut(
  task: Task,
  { configFile }: Pick<DaemonArguments, "configFile">,
  load: () => Settings,
  speak: Speak = inEnglish,
): void {
  const say = (sentences: readonly string[]) => print(sentences.map((one) => speak(bytesOfText(one))));
  switch (task.kind) {
    case "check-config":
    case "read-config":
      if (task.kind === "check-config") checkConfig(load(), configFile);
      else readConfig(configFile);
      say([`the configuration is valid: ${configFile ?? DEFAULT_CONFIG}`]);
      break;
    case "set":
      say([
        ...setValues(configFile, task.assignments),
        "a running daemon takes it at 'systemctl restart makuosan'",
      ]);
      break;
    case "import-sysconfig":
      // It is a config file.
      print(importSysconfig(readText(task.file)).trimEnd().split("\n").map(bytesOfText));
      break;
  }
}

/** Checks as much as a start does before it opens the network: the directories as the user that the daemon becomes. */
function checkConfig(settings: Settings, configFile: string | undefined): void {
  const { keyFile, places, identity, keepOwner } = settings;
  if (keyFile !== undefined) withPlace(places.key, "key", () => readKeyFile(keyFile));
  // This process has nothing else to do afterwards.
  if (identity !== undefined && identity.uid !== process.geteuid?.()) dropPrivileges(identity, keepOwner);
  // A start reads the files before it becomes another user, and a reload after that.
  if (isReload(process.env)) readConfig(configFile);
  checkBase(settings);
  if (settings.state.isRequired) withPlace(places.state, "state", () => checkState(settings.state));
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`${file} cannot be read (${code}): name another file`);
  }
}

function print(lines: readonly string[]): void {
  writeOutput(1, lines.map((line) => `${displayText(line)}\n`).join(""));
}
