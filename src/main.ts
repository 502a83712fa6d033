/** The entry of the one executable: the daemon or the command, by the name it was called by. */
import path from "node:path";

/** One executable with two names: the command where it is called msync, the daemon otherwise. */

const isCommand = path.basename(process.argv0).startsWith("msync");
const argv = process.argv.slice(2);

/** Only what is going to run is loaded: the start of msync is felt each time. */
async function run(): Promise<number | undefined> {
  if (isCommand) return (await import("./cli/main.ts")).runCommand(argv);
  (await import("./daemon/service/clean-start.ts")).startClean(argv);
  return (await import("./daemon/main.ts")).runDaemon(argv);
}

void run().then((status) => {
  if (status !== undefined) process.exit(status);
});
