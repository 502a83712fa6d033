/** Closes what the starting program has left open: descriptors, variables of the environment, rights of programs. */
import { isSea } from "node:sea";
import { closeInherited } from "../../sys/inherited-descriptors.ts";
import { forbidDumps, forbidNewPrivileges, unblockUserSignal } from "../../sys/process-hardening.ts";
import { isInBackground, READY_DESCRIPTOR } from "./background.ts";

/** The variables that the daemon and the service manager use. Every other one is removed. */
const KEPT_VARIABLES =
  /^(PATH|LANG|LC_[A-Z]+|TZ|MAKUOSAN_[A-Z_]+|NOTIFY_SOCKET|MAINPID|WATCHDOG_(USEC|PID)|LISTEN_(PID|FDS|FDNAMES)|(STATE|RUNTIME|CREDENTIALS)_DIRECTORY|LD_LIBRARY_PATH)$/;

/** Variables that Node and its libraries have obeyed before the first line of this program runs. */
const RUNTIME_VARIABLES = /^(NODE_|UV_|V8_|ICU_|OPENSSL_|SSL|WATCH_REPORT_)/;

/**
 * Runs first of all. Closes the inherited descriptors, removes the variables that the daemon does not use, and forbids
 * programs to bring new rights. The threads of Node are there already: so that they obey all of it, too, the program
 * replaces itself once. The service manager, and the start in the background, have done their part before; then nothing
 * is left to replace.
 *
 * @param argv the arguments after the name of the command
 */
export function startClean(argv: readonly string[]): void {
  closeInherited(isInBackground() ? [READY_DESCRIPTOR] : []);
  const variables = Object.keys(process.env);
  for (const name of variables) if (!KEPT_VARIABLES.test(name)) delete process.env[name];
  const isNew = forbidNewPrivileges();
  // In the background, the readiness descriptor would get lost.
  if (!isSea() || isInBackground()) return;
  if (isNew || variables.some((name) => RUNTIME_VARIABLES.test(name)))
    process.execve?.(process.execPath, [process.argv0, ...argv], process.env);
}

/**
 * Forbids dumps of the memory, and lets the signals for the log level in. Runs when their listeners are there, and before
 * a secret is read.
 */
export function harden(): void {
  forbidDumps();
  unblockUserSignal();
}
