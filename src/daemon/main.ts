/** The command makuosan: start, signals, reload. */
import { bytesOfText, displayText } from "../base/display.ts";
import { ExitStatus, MISCONFIGURED, UserError } from "../base/user-error.ts";
import { outputProblem, writeOutput } from "../sys/output.ts";
import { checkProcessFiles } from "../sys/process-files.ts";
import { isInBackground, startInBackground, tellReady } from "./service/background.ts";
import { harden } from "./service/clean-start.ts";
import { LevelSignals } from "./service/level-signals.ts";
import { readConfig, readEnvironment } from "./settings/config.ts";
import { type Daemon, startDaemon } from "./daemon.ts";
import { NotYetError } from "./service/interface-wait.ts";
import { ClockWatch, systemClocks } from "./service/clock-watch.ts";
import { type Log, openLog } from "./service/log.ts";
import { ServiceNotifier } from "./service/notify.ts";
import { nameProcess } from "./service/process-name.ts";
import { type DaemonArguments, parseArguments, PrintedInstead } from "./settings/options.ts";
import { argumentsOfReloaded } from "./settings/running-daemon.ts";
import { resolveSettings, type Settings } from "./settings/settings.ts";
import { inEnglish, type Speak } from "./speech.ts";
import { carryOut } from "./tasks.ts";
import { Watchdog } from "./service/watchdog.ts";

/**
 * A service waits this long for its interface: less than the 90 s that the service unit allows for a start. After that the
 * service manager starts it again.
 */
const NETWORK_PATIENCE_MS = 60_000;

/** Between two looks whether the status line has changed: progress in `systemctl status` need not be newer. */
const STATUS_MS = 1_000;

/**
 * The exit status of a daemon that only needs a restart: EX_TEMPFAIL of sysexits.h, a failure for a service manager.
 */
const RESTART = 75;

/**
 * The command `makuosan`.
 *
 * @param argv the arguments after the name of the command
 * @param speak translates what the command says; the log stays English
 * @returns the exit status, or undefined while the daemon runs
 */
export async function runDaemon(
  argv: readonly string[],
  speak: Speak = inEnglish,
): Promise<number | undefined> {
  const levels = new LevelSignals();
  levels.listen();
  const notifier = new ServiceNotifier();
  try {
    const given = withReloaded(parseArguments(argv, speak));
    const load = () => {
      const fromEnvironment = readEnvironment(process.env);
      return resolveSettings({ ...fromEnvironment, ...given.settings }, readConfig(given.configFile));
    };
    if (given.task !== undefined) {
      carryOut(given.task, given, load, speak);
      return closeOutput(speak);
    }
    const settings = load();
    checkProcessFiles();
    harden();
    if (!given.foreground && !notifier.isManaged && !isInBackground()) return await startInBackground(argv);
    nameProcess();
    // All paths are absolute by now; no directory is kept from being unmounted.
    process.chdir("/");
    await run(settings, load, notifier, levels);
    return undefined;
  } catch (error) {
    if (error instanceof PrintedInstead) return closeOutput(speak);
    if (!(error instanceof UserError)) throw error;
    // The sentence is about settings, which are text and no byte strings.
    const line = `error: ${speak(bytesOfText(error.message))}`;
    writeOutput(2, `${notifier.isManaged ? "<3>" : ""}${displayText(line)}\n`);
    await notifier.status(line);
    return notifier.isManaged && !(error instanceof NotYetError) ? MISCONFIGURED : error.exitStatus;
  }
}

/** A check at a reload is for the options of the daemon that runs. If they are not known, the files are only read. */
function withReloaded(given: DaemonArguments): DaemonArguments {
  if (given.task?.kind !== "check-config") return given;
  const options = argumentsOfReloaded(process.env);
  if (options === undefined) return { ...given, task: { kind: "read-config" } };
  const { settings, configFile } = parseArguments(options);
  return {
    ...given,
    settings: { ...settings, ...given.settings },
    configFile: given.configFile ?? configFile,
  };
}

/** The exit status of a command that has printed its answer. */
function closeOutput(speak: Speak): number {
  const problem = outputProblem();
  if (problem === undefined) return ExitStatus.ok;
  writeOutput(2, `error: ${displayText(speak(problem))}\n`);
  return ExitStatus.usage;
}

async function run(
  settings: Settings,
  load: () => Settings,
  notifier: ServiceNotifier,
  levels: LevelSignals,
): Promise<void> {
  const { isManaged, signOfLifeMs } = notifier;
  const log = openLog(settings.logLevel, isManaged ? "journal" : isInBackground() ? "syslog" : "terminal");
  levels.attach(log);
  const watchdog = new Watchdog(() => notifier.watchdog());
  const daemon = await startDaemon(settings, log, {
    networkPatienceMs: isManaged ? NETWORK_PATIENCE_MS : 0,
    onWaiting: (sentence) => {
      log.warn(`waiting for the network: ${sentence}`);
      void notifier.status(`waiting for the network: ${sentence}`);
    },
    onTurn: () => watchdog.turned(),
    stateDirectory: process.env["STATE_DIRECTORY"]?.split(":")[0],
  });
  watchClocks(log, isInBackground());
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
  let complaint = "";
  const status = () => `${daemon.status()}${complaint}`;
  // One after the other: each answers the signal that it was begun for.
  let reloads = Promise.resolve();
  process.on("SIGHUP", () => {
    reloads = reloads.then(async () => {
      notifier.reloading();
      const reason = await reload(log, load, daemon);
      complaint = reason === undefined ? "" : `; ${reason}`;
      await notifier.ready(status());
    });
  });
  if (isManaged) setInterval(() => void notifier.status(status()), STATUS_MS).unref();
  if (signOfLifeMs !== undefined) watchdog.start(signOfLifeMs, () => daemon.wake());
  log.info("ready");
  await notifier.ready(status());
  if (isInBackground()) tellReady();
}

/**
 * Ends the process if its epoch may be in use on another machine. It ends at once: every goodbye would be sealed in that
 * epoch.
 *
 * @param staysAway nobody restarts this process, as in the background: it continues, and the log says what to do
 */
function watchClocks(log: Log, staysAway: boolean): void {
  new ClockWatch(systemClocks, (sentence) => {
    const reason = `${sentence}: this may be a copy of another machine, whose keys must not be used again`;
    if (staysAway) {
      log.error(`${reason}; start makuosan again`);
      return;
    }
    log.error(`${reason}; ending, to be started again`);
    process.exit(RESTART);
  }).start();
}

/**
 * Takes over what can change without a restart: the keys, and the settings that the table marks. If something is wrong, all
 * stays as it was.
 *
 * @returns what has not changed, and why; undefined where all is well
 */
async function reload(log: Log, load: () => Settings, daemon: Daemon): Promise<string | undefined> {
  try {
    const { taken, left } = await daemon.reload(load());
    log.info(`the configuration was read again; changed: ${taken.join(", ") || "nothing"}`);
    if (left.length === 0) return undefined;
    const reason = `${left.join(", ")} of the configuration will change with 'systemctl restart makuosan'`;
    log.warn(reason);
    return reason;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const reason = bytesOfText(`the configuration stays as it was: ${error.message}`);
    log.error(reason);
    return reason;
  }
}
