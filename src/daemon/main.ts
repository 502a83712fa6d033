import { UserError } from "../base/user-error.ts";
import { isInBackground, startInBackground, tellReady } from "./background.ts";
import { readConfig, readEnvironment } from "./config.ts";
import { startDaemon } from "./daemon.ts";
import { type Log, openLog } from "./log.ts";
import { isManagedService, ServiceNotifier } from "./notify.ts";
import { parseArguments, PrintedInstead } from "./options.ts";
import { resolveSettings, type Settings } from "./settings.ts";

/**
 * The command `makuosan`.
 *
 * @param argv the arguments behind the command's name
 * @returns the exit status, or undefined while the daemon runs
 */
export async function runDaemon(argv: readonly string[]): Promise<number | undefined> {
  try {
    const given = parseArguments(argv);
    const load = () => {
      const fromEnvironment = readEnvironment(process.env);
      return resolveSettings({ ...fromEnvironment, ...given.settings }, readConfig(given.configFile));
    };
    const settings = load();
    if (!given.foreground && !isManagedService() && !isInBackground()) return await startInBackground(argv);
    // Without this, service managers and pkill see the name of Node's main thread.
    process.title = "makuosan";
    // All paths are absolute by now; no directory is kept from being unmounted.
    process.chdir("/");
    await run(settings, load);
    return undefined;
  } catch (error) {
    if (error instanceof PrintedInstead) return 0;
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return error.exitStatus;
  }
}

async function run(settings: Settings, load: () => Settings): Promise<void> {
  const log = openLog(
    settings.logLevel,
    isManagedService() ? "journal" : isInBackground() ? "syslog" : "terminal",
  );
  const notifier = new ServiceNotifier();
  const daemon = await startDaemon(settings, log, () => notifier.status(daemon.status()));
  let isStopping = false;
  const stop = (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    log.info(`stopping on ${signal}`);
    notifier.stopping();
    void daemon.stop().then(() => process.exit(0));
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => reload(log, load));
  log.info("ready");
  notifier.ready(daemon.status());
  if (isInBackground()) tellReady();
}

/** Takes over what can change without a new start: the log level. */
function reload(log: Log, load: () => Settings): void {
  try {
    log.level = load().logLevel;
    log.info("the configuration was read again; all but the log level takes effect at the next start");
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    log.error(`the configuration stays as it was: ${error.message}`);
  }
}
