/** Carries out a push for msync, and prints its events and its result. */
import { ExitStatus, UserError } from "../base/user-error.ts";
import type { ConsoleClient } from "../console/client.ts";
import type { Event, HostVerdict, SendRequest, SendResult, UndoRequest } from "../console/protocol.ts";
import { amountText } from "./amount.ts";
import type { Interrupt } from "./interrupt.ts";
import { printError, printJson, printLine, printSentence, printWarning } from "./output.ts";
import { PathHints } from "./path-hints.ts";
import { Progress } from "./progress.ts";
import { sentenceFor } from "./reasons.ts";
import type { SendOptions } from "./send-options.ts";
import { sentenceOfUndo } from "./undo-advice.ts";

/**
 * Waits for members where that was asked for.
 *
 * @throws UserError where they have not come
 */
export async function waitForMembers(client: ConsoleClient, options: SendOptions): Promise<void> {
  const { wait, targets, excepts } = options;
  if (wait === undefined) return;
  await client.request({ command: "wait", ...wait, targets, excepts }, () => undefined);
}

/**
 * The paths of a push; none means the whole base directory.
 *
 * @throws UserError where that is not asked for
 */
export function pathsToSend(paths: readonly string[], recursive: boolean): readonly string[] {
  checkPaths(paths);
  if (paths.length > 0) return paths;
  if (recursive) return [""];
  throw new UserError("nothing to send: name a path, or give -r for the whole base directory");
}

/** @throws UserError for an empty path: a variable of a script that is not set must not become the base directory */
export function checkPaths(paths: readonly string[]): void {
  if (!paths.includes("")) return;
  throw new UserError("a path is empty: name one, or give '/' for the base directory");
}

/** Carries out a push and prints the result; returns the exit status. */
export async function send(
  client: ConsoleClient,
  paths: readonly string[],
  options: SendOptions,
  isJson: boolean,
  interrupt: Interrupt,
): Promise<number> {
  const { verbosity: _verbosity, wait: _wait, showsStats: _showsStats, ...rest } = options;
  const request: SendRequest = {
    ...rest,
    command: "send",
    paths,
    detail: detailOf(options, isJson),
    progress: isJson || Progress.isPossible,
  };
  return await carryOut(client, request, options, isJson, interrupt);
}

/**
 * Takes back a push, and prints the result.
 *
 * @param id the beginning of the id of the push; empty for the last one
 * @returns the exit status
 */
export async function undo(
  client: ConsoleClient,
  id: string,
  options: SendOptions,
  isJson: boolean,
  interrupt: Interrupt,
): Promise<number> {
  const request: UndoRequest = {
    command: "undo",
    id,
    detail: detailOf(options, isJson),
    progress: isJson || Progress.isPossible,
  };
  return await carryOut(client, request, options, isJson, interrupt);
}

async function carryOut(
  client: ConsoleClient,
  request: SendRequest | UndoRequest,
  options: SendOptions,
  isJson: boolean,
  interrupt: Interrupt,
): Promise<number> {
  const progress = await Progress.open(options.isCheck && options.dryRun);
  const hints = new PathHints(request.command === "send" ? request.paths : []);
  const missing: MissingPath[] = [];
  const result = await client
    .request(request, (event) => {
      if (isJson) printJson(event);
      else if (isMissingPath(event)) missing.push(event);
      else if (event.event === "progress") progress.show(event);
      else {
        progress.end();
        printEvent(event, options);
      }
    })
    .catch((error: unknown) => {
      throw withHint(error, hints.instead());
    });
  progress.end();
  for (const event of missing) {
    const hint = await hints.for(event.path, client);
    printError(`${event.path}: ${sentenceFor(event)}${hint === undefined ? "" : `; ${hint}`}`);
  }
  if (result.result !== "send") throw new UserError("the daemon gave another answer than expected");
  if (isJson) printJson(result);
  else printResult(result);
  if (!isJson && (options.showsStats || process.stdout.isTTY === true))
    printSentence(statsLine(result, options));
  return interrupt.happened && result.aborted !== undefined ? ExitStatus.interrupted : result.exitStatus;
}

type MissingPath = Extract<Event, { event: "notice" }>;

/** An entry that does not exist may be one that was typed wrong. */
function isMissingPath(event: Event): event is MissingPath {
  return event.event === "notice" && event.kind === "unreadable" && event.cause?.code === "ENOENT";
}

/** The word of a command is no path, whether there are members or not. */
function withHint(error: unknown, hint: string | undefined): unknown {
  if (!(error instanceof UserError) || error.exitStatus !== ExitStatus.noMembers || hint === undefined)
    return error;
  return new UserError(`${error.message}; ${hint}`, error.exitStatus);
}

function detailOf(options: SendOptions, isJson: boolean): SendRequest["detail"] {
  if (options.verbosity >= 2) return "all";
  // Of what was checked, -v shows all of it.
  if (options.isCheck && options.verbosity === 1) return "all";
  if (options.verbosity === 1 || isJson || options.isCheck) return "updates";
  return options.dryRun ? "paths" : "none";
}

function printEvent(event: Exclude<Event, { event: "progress" }>, options: SendOptions): void {
  switch (event.event) {
    case "path":
      if (options.isCheck) printCheck(event, options);
      else printPath(event, options);
      break;
    case "superfluous":
      printSuperfluous(event, options);
      break;
    case "note":
      // It is about a list that was not asked for.
      if (event.cause?.code === "unlisted" && detailOf(options, false) === "none") break;
      printWarning(`${event.host}:${event.path}${event.path === "" ? "" : ":"} ${sentenceFor(event)}`);
      break;
    case "notice":
      if (event.kind === "excluded") printWarning(`${event.path} is not sent: ${sentenceFor(event)}`);
      else if (event.kind === "unreadable") printError(`${event.path}: ${sentenceFor(event)}`);
      else if (options.verbosity >= 1) printLine(`ignore ${event.path}: ${sentenceFor(event)}`);
      break;
    case "waiting":
      // Nobody need read in a mail of cron that all hosts have pushed in the same minute.
      if (Progress.isPossible)
        printWarning(
          event.pushes === 1 ? "waiting for 1 other push" : `waiting for ${event.pushes} other pushes`,
        );
      break;
    case "slow":
      printWarning(`${event.host} has been ${event.doing} for ${event.seconds} s`);
      break;
    case "omitted":
      printWarning(`${event.count} lines are missing above: they were not read fast enough`);
      break;
    case "member-failed":
      // The verdicts at the end say it, with all the others. Who watches a long push hears it at once.
      if (Progress.isPossible) printWarning(`${event.host} is left out: ${sentenceFor(event)}`);
      break;
  }
}

function printPath(event: Extract<Event, { event: "path" }>, options: SendOptions): void {
  const prefix = options.dryRun ? "(dryrun) " : "";
  if (options.verbosity === 0) {
    if (!options.dryRun) return;
    printLine(`${prefix}[update:${event.path}]`);
    return;
  }
  for (const host of event.updates) printLine(`${prefix}update ${host}:${event.path}`);
  for (const host of event.skips) printLine(`${prefix}skip   ${host}:${event.path}`);
}

/** A line for each difference; with -v, whether the path is as it should be. */
function printCheck(event: Extract<Event, { event: "path" }>, options: SendOptions): void {
  for (const { host, kinds } of event.differences) {
    for (const kind of kinds) printLine(`${kind} ${host}:${event.path}`);
    if (options.verbosity >= 1) printLine(`${host}: NG ${event.path}`);
  }
  if (options.verbosity >= 1) for (const host of event.skips) printLine(`${host}: OK ${event.path}`);
}

function printSuperfluous(
  { host, path }: Extract<Event, { event: "superfluous" }>,
  options: SendOptions,
): void {
  if (options.isCheck) printLine(`superfluous ${host}:${path}`);
  if (options.isCheck && options.verbosity >= 1) printLine(`${host}: NG ${path}`);
  if (options.dryRun && !options.isCheck) printLine(`(dryrun) delete ${host}:${path}`);
  if (!options.dryRun && options.verbosity >= 1) printLine(`delete ${host}:${path}`);
}

function nobody(name: string): string {
  if (name.includes(",")) return `${name} is not a member, and -t and --except are given for each host`;
  if (name.startsWith("@")) return `no member has the label ${name.slice(1)}`;
  return /[*?[\\]/.test(name) ? `no member is called ${name}` : `${name} is not a member`;
}

function printResult(result: SendResult): void {
  for (const name of result.unknown) {
    printError(`${nobody(name)}: 'msync --members' lists those that are there`);
  }
  for (const name of result.unknownExcepts) {
    printWarning(`${nobody(name)}, so --except leaves nobody out by it`);
  }
  for (const { reason } of result.missing) printError(reason);
  const { aborted, undoes } = result;
  if (undoes !== undefined && aborted === undefined) printSentence(`push ${undoes} is taken back`);
  const print = (text: string) =>
    printError(undoes === undefined ? text : sentenceOfUndo(text, aborted === undefined));
  const refusing = refusingHost(result);
  const why = refusing === undefined ? aborted : `${refusing.host}: ${sentenceFor(refusing)}`;
  if (why !== undefined) print(`nothing was changed anywhere: ${why}`);
  for (const host of result.hosts) {
    if (host.outcome === "done" || host.reason === aborted || host === refusing) continue;
    print(
      host.outcome === "failed"
        ? `${host.host}: ${sentenceFor(host)}${host.catchesUp === true ? "; it catches up as soon as it can" : ""}`
        : `${host.host}: ${sentenceFor(host)} after the commit: push again to be sure of it`,
    );
  }
}

/** The host because of which nothing was changed: its own verdict says why, with how to fix it. */
function refusingHost({ aborted, hosts }: SendResult): HostVerdict | undefined {
  return hosts.find(({ reason }) => reason !== "" && aborted?.endsWith(`: ${reason}`) === true);
}

/** How much it was, in how long, and how many hosts have it. */
function statsLine(result: SendResult, { isCheck, dryRun }: SendOptions): string {
  const { hosts, durationMs, sentEntries, sentBytes, savedBytes, entries, differing } = result;
  const seconds = (durationMs / 1000).toFixed(2);
  const done = hosts.filter(({ outcome }) => outcome === "done").length;
  const all = hosts.length;
  if (isCheck && dryRun)
    return `compared ${entries} entries in ${seconds} s on ${done} of ${all} hosts: ${differing} differences`;
  if (dryRun)
    return `would send ${sentEntries} entries, ${sentBytes} bytes to ${done} of ${all} hosts, found in ${seconds} s`;
  const amount = amountText({ entries: sentEntries, bytes: sentBytes, savedBytes });
  const sent = `sent ${amount} in ${seconds} s to ${done} of ${all} hosts`;
  return durationMs > 0 ? `${sent}, ${((sentBytes / durationMs) * 1e-3).toFixed(1)} MB/s` : sent;
}
