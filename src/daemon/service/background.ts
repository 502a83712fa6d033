/** Goes to the background. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import { isSea } from "node:sea";
import { replaceDescriptor } from "../../sys/files.ts";

/**
 * Going to the background: a process cannot be split in two here, so the one that the shell started starts another,
 * waits until that says on descriptor 3 that it is ready, and ends with its verdict. Until then the errors of the
 * new one appear in the shell.
 */

const ENVIRONMENT_MARK = "MAKUOSAN_IN_BACKGROUND";
const READY_DESCRIPTOR = 3;

/** Whether this process is the one in the background. */
export function isInBackground(): boolean {
  return process.env[ENVIRONMENT_MARK] === "1";
}

/** Starts this program again in the background; resolves with the exit status for the shell. */
export function startInBackground(argv: readonly string[]): Promise<number> {
  const script = isSea() ? [] : [process.argv[1] ?? ""];
  const child = spawn(process.execPath, [...(isSea() ? [] : process.execArgv), ...script, ...argv], {
    argv0: "makuosan",
    detached: true,
    env: { ...process.env, [ENVIRONMENT_MARK]: "1" },
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  return new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("exit", (code) => resolve(code ?? 1));
    child.stdio[READY_DESCRIPTOR]?.once("data", () => {
      child.unref();
      resolve(0);
    });
  });
}

/** Tells the waiting process that all is well, and lets go of the shell's terminal. */
export function tellReady(): void {
  delete process.env[ENVIRONMENT_MARK];
  fs.writeSync(READY_DESCRIPTOR, "ready\n");
  fs.closeSync(READY_DESCRIPTOR);
  const nowhere = fs.openSync("/dev/null", "w");
  for (const descriptor of [1, 2]) replaceDescriptor(nowhere, descriptor);
}
