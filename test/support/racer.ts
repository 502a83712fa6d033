import { spawn } from "node:child_process";

/** The user nobody, who changes directories under the hands of root. */
export const NOBODY = 65_534;

/**
 * Does some work while the user nobody runs a piece of a program, again and again, as fast as it can. An error ends one turn
 * of that only. It has ended when this resolves or rejects: directories can be removed then.
 *
 * @param turn JavaScript; it knows `fs`, `path`, `given` (the arguments), `number` (of the turn), and `attempt`, which calls
 *   a function and drops its error
 */
export async function whileRacing(
  turn: string,
  given: readonly string[],
  work: () => Promise<unknown>,
): Promise<void> {
  const script = `
    const fs = require("node:fs");
    const path = require("node:path");
    process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY});
    const given = process.argv.slice(1);
    process.stdout.write("runs");
    const attempt = (work) => { try { return work(); } catch { return undefined; } };
    const parent = process.ppid;
    for (let number = 0; process.ppid === parent; number++) attempt(() => { ${turn} });`;
  const racer = spawn(process.execPath, ["-e", script, ...given], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => racer.once("exit", () => resolve()));
  try {
    const isRunning = new Promise<true>((resolve) => racer.stdout.once("data", () => resolve(true)));
    if ((await Promise.race([isRunning, ended])) !== true) throw new Error("the racer has ended at once");
    await work();
  } finally {
    racer.kill("SIGKILL");
    await ended;
  }
}
