import path from "node:path";
import { runCommand } from "./cli/main.ts";
import { runDaemon } from "./daemon/main.ts";

/** One executable with two names: the command where it is called msync, the daemon otherwise. */

const isCommand = path.basename(process.argv0).startsWith("msync");
const argv = process.argv.slice(2);

void (isCommand ? runCommand(argv.length) : runDaemon(argv)).then((status) => {
  if (status !== undefined) process.exit(status);
});
