/** The entry of the one executable: starts the daemon or the command. */
import path from "node:path";
import { isSea } from "node:sea";
import { runProgram } from "./sys/programs.ts";

/**
 * One executable with two names: the command if it is called msync, the daemon otherwise. Each of them is a program of its
 * own in the executable, and so are the disk threads: only what is going to run is loaded, because the start of msync is
 * felt each time.
 */

async function run(): Promise<void> {
  const name = path.basename(process.argv0).startsWith("msync") ? "msync" : "makuosan";
  if (name === "makuosan")
    (await import("./daemon/service/clean-start.ts")).startClean(process.argv.slice(2));
  if (isSea()) runProgram(name);
  else await import(new URL(`./main/${name}.ts`, import.meta.url).href);
}

void run();
