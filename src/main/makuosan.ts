/** The program of the daemon. */
import { runDaemon } from "../daemon/main.ts";

void runDaemon(process.argv.slice(2)).then((status) => {
  if (status !== undefined) process.exit(status);
});
