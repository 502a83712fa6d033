/** The program of the command. */
import { runCommand } from "../cli/main.ts";

void runCommand(process.argv.slice(2)).then((status) => process.exit(status));
