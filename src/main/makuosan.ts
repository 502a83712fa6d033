/** The program of the daemon. */
import { chooseLanguage, inLanguage } from "../cli/language.ts";
import { runDaemon } from "../daemon/main.ts";

async function run(): Promise<void> {
  await chooseLanguage(process.env);
  const status = await runDaemon(process.argv.slice(2), inLanguage);
  if (status !== undefined) process.exit(status);
}

void run();
