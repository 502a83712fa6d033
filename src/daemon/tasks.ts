/** Work of the command makuosan that ends without starting a daemon. */
import fs from "node:fs";
import { bytesOfText, displayText } from "../base/display.ts";
import { UserError } from "../base/user-error.ts";
import { writeOutput } from "../sys/output.ts";
import { checkConfig } from "./check-config.ts";
import { setValues } from "./settings/config-editor.ts";
import { DEFAULT_CONFIG, readConfig } from "./settings/config.ts";
import type { DaemonArguments, Task } from "./settings/options.ts";
import type { Settings } from "./settings/settings.ts";
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
  const warn = (sentences: readonly string[]) =>
    print(
      sentences.map((one) => `warning: ${speak(bytesOfText(one))}`),
      2,
    );
  switch (task.kind) {
    case "check-config":
    case "read-config":
      if (task.kind === "check-config") warn(checkConfig(load(), configFile));
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

function readText(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`${file} cannot be read (${code}): name another file`);
  }
}

function print(lines: readonly string[], output: 1 | 2 = 1): void {
  writeOutput(output, lines.map((line) => `${displayText(line)}\n`).join(""));
}
