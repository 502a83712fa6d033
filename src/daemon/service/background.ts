/** Starts the daemon in the background, and tells the shell when it is ready. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { isSea } from "node:sea";
import { UserError } from "../../base/user-error.ts";
import { replaceDescriptor } from "../../sys/files.ts";

/** A variable that only the process in the background has. */
const ENVIRONMENT_MARK = "MAKUOSAN_IN_BACKGROUND";

/** The process in the background reports on this descriptor that it is ready: the first one after the standard ones. */
export const READY_DESCRIPTOR = 3;

/** Whether this process is the one in the background. */
export function isInBackground(): boolean {
  return process.env[ENVIRONMENT_MARK] === "1";
}

/**
 * Starts this program again in the background: Node cannot fork. The process that the shell has started waits until the new
 * one is ready or has ended. Until then the errors of the new one appear in the shell.
 *
 * @param program the executable
 * @returns the exit status for the shell
 * @throws UserError if no process can be started
 */
export function startInBackground(argv: readonly string[], program = process.execPath): Promise<number> {
  const script = isSea() ? [] : [process.argv[1] ?? ""];
  const child = spawn(program, [...(isSea() ? [] : process.execArgv), ...script, ...argv], {
    argv0: "makuosan",
    detached: true,
    env: { ...process.env, [ENVIRONMENT_MARK]: "1" },
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => reject(notStarted(error.code)));
    child.once("exit", (code) => resolve(code ?? 1));
    child.stdio[READY_DESCRIPTOR]?.once("data", () => {
      child.unref();
      resolve(0);
    });
  });
}

function notStarted(code: string | undefined): UserError {
  // Its standard input is this device, which a small chroot may lack.
  const mend = fs.existsSync(os.devNull)
    ? "start it with -n"
    : `make ${os.devNull} with 'mknod -m 666 ${os.devNull} c 1 3', or start it with -n`;
  return new UserError(`makuosan cannot continue in the background (${code}): ${mend}`);
}

/** Tells the waiting process that the daemon is ready, and closes the terminal of the shell. */
export function tellReady(): void {
  delete process.env[ENVIRONMENT_MARK];
  fs.writeSync(READY_DESCRIPTOR, "ready\n");
  fs.closeSync(READY_DESCRIPTOR);
  const nowhere = fs.openSync(os.devNull, "w");
  for (const descriptor of [1, 2]) replaceDescriptor(nowhere, descriptor);
}
