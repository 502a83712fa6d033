import { ExitStatus, UserError } from "../base/user-error.ts";
import type { ConsoleClient } from "../console/client.ts";
import type { Event, SendRequest, SendResult } from "../console/protocol.ts";
import type { CommandOptions } from "./options.ts";
import { printError, printJson, printLine, printWarning } from "./output.ts";
import { Progress } from "./progress.ts";

/** Carries out a push and prints what comes of it; the exit status. */
export async function send(client: ConsoleClient, options: CommandOptions): Promise<number> {
  const progress = new Progress();
  const request: SendRequest = {
    command: "send",
    paths: options.paths,
    recursive: options.recursive,
    dryRun: options.dryRun,
    allOrNothing: options.allOrNothing,
    targets: options.targets,
    detail: detailOf(options),
    progress: options.json || Progress.isPossible,
  };
  const interrupt = cancelOnInterrupt(client);
  const result = await client.request(request, (event) => {
    if (options.json) printJson(event);
    else if (event.event === "progress") progress.show(event);
    else {
      progress.end();
      printEvent(event, options);
    }
  });
  progress.end();
  if (result.result !== "send") throw new UserError("the daemon gave another answer than expected");
  if (options.json) printJson(result);
  else printResult(result);
  return interrupt.happened && result.aborted !== undefined ? ExitStatus.interrupted : result.exitStatus;
}

function detailOf(options: CommandOptions): SendRequest["detail"] {
  if (options.verbosity >= 2) return "all";
  if (options.verbosity === 1 || options.json) return "updates";
  return options.dryRun ? "paths" : "none";
}

/** The first Ctrl-C asks the daemon to give up, the second one ends msync at once. */
function cancelOnInterrupt(client: ConsoleClient): { happened: boolean } {
  const state = { happened: false };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (state.happened) process.exit(ExitStatus.interrupted);
      state.happened = true;
      client.cancel();
    });
  }
  return state;
}

function printEvent(event: Exclude<Event, { event: "progress" }>, options: CommandOptions): void {
  switch (event.event) {
    case "path":
      printPath(event, options);
      break;
    case "notice":
      if (event.kind === "unreadable") printError(`${event.path}: ${event.reason}`);
      else if (options.verbosity >= 1) printLine(`ignore ${event.path}: ${event.reason}`);
      break;
    case "omitted":
      printWarning(`${event.count} lines are missing above: they were not read fast enough`);
      break;
    case "member-failed":
      // The verdicts at the end say it, with all the others.
      break;
  }
}

function printPath(event: Extract<Event, { event: "path" }>, options: CommandOptions): void {
  const prefix = options.dryRun ? "(dryrun) " : "";
  if (options.verbosity === 0) {
    printLine(`${prefix}[update:${event.path}]`);
    return;
  }
  for (const host of event.updates) printLine(`${prefix}update ${host}:${event.path}`);
  for (const host of event.skips) printLine(`${prefix}skip   ${host}:${event.path}`);
}

function printResult(result: SendResult): void {
  for (const name of result.unknown) {
    printError(`${name} is not a member: 'msync --members' lists those that are there`);
  }
  if (result.aborted !== undefined) printError(`nothing was changed anywhere: ${result.aborted}`);
  for (const host of result.hosts) {
    if (host.outcome === "done" || host.reason === result.aborted) continue;
    printError(
      host.outcome === "failed"
        ? `${host.host}: ${host.reason}`
        : `${host.host}: ${host.reason} after the commit: push again to be sure of it`,
    );
  }
}
