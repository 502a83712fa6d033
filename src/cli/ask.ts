/** Questions that the daemon answers at once. */
import { bytesOfText } from "../base/display.ts";
import type { ConsoleClient } from "../console/client.ts";
import type { CatchUpState } from "../console/catch-up-state.ts";
import type { HistoryEntry, Request, Result } from "../console/protocol.ts";
import { ExitStatus } from "../base/user-error.ts";
import { amountText } from "./amount.ts";
import { inLanguage, phrase } from "./language.ts";
import { printError, printJson, printLine, printWarning } from "./output.ts";

/** Values of the state that are names: they could read like a word of a sentence. */
const NAMES: readonly string[] = ["host", "labels", "basedir", "interface", "socket", "excludes"];

/** How an answer is shown. */
export interface AskOptions {
  readonly json: boolean;
  readonly verbosity: number;
}

/**
 * Asks the daemon for something that is answered at once, and prints the answer.
 *
 * @returns the exit status
 */
export async function ask(client: ConsoleClient, request: Request, options: AskOptions): Promise<number> {
  const result = await client.request(request, () => undefined);
  if (options.json) printJson(result);
  else printAnswer(result, options.verbosity);
  return result.result === "catch-up" ? (result.exitStatus ?? ExitStatus.ok) : ExitStatus.ok;
}

function printAnswer(result: Result, verbosity: number): void {
  if (result.result === "members") {
    for (const { host, address, version, labels, keys, catchUp } of result.members) {
      const state = catchUp === undefined ? "" : `, ${stateText(catchUp)}`;
      const shown = verbosity > 0 ? `${` ${labels.join(",")}`.trimEnd()}${keysText(keys)}${state}` : "";
      printLine(`${host} ${address} (Ver${version})${shown}`);
    }
    printLine(`Total: ${result.members.length} members`);
    for (const { reason } of result.problems) printLine(`problem: ${inLanguage(reason)}`);
    if (!result.isSealed) printWarning("no key is set: anyone on this network can write to these servers");
  }
  if (result.result === "catch-up") {
    for (const { host, ...state } of result.hosts) printLine(`${host}: ${bytesOfText(stateWords(state))}`);
    for (const error of result.errors ?? []) printError(error);
  }
  if (result.result === "history") for (const entry of result.entries) printTransfer(entry, verbosity);
  if (result.result === "status")
    for (const [key, value] of result.values)
      printLine(`${key} : ${valueOf(key, value, result.status?.publications)}`);
}

/** Whether a host has all that was pushed for it, as a list that scripts read has it. */
function stateText({ behind, since, reason, drift }: CatchUpState): string {
  if (behind === 0) return drift === undefined ? "current" : `current, but ${drift}`;
  const why = reason === undefined || reason === "" ? "" : `: ${reason}`;
  return `behind ${behind} since ${localTime(since ?? "")}${why}`;
}

/** The same in the language of the user, as text. */
function stateWords({ behind, since, reason, drift }: CatchUpState): string {
  const text = (english: string) => Buffer.from(inLanguage(english), "latin1").toString();
  if (behind === 0) return drift === undefined ? phrase("current") : phrase("current, but {0}", text(drift));
  const time = localTime(since ?? "");
  return reason === undefined || reason === ""
    ? phrase("behind {0} since {1}", behind, time)
    : phrase("behind {0} since {1}: {2}", behind, time, text(reason));
}

/** A value of the state, in the language of the user. What this host lacks is said in the words of the other lists. */
function valueOf(key: string, value: string, state: CatchUpState | null | undefined): string {
  if (NAMES.includes(key)) return value;
  const pushes = key === "catch-up" ? /\((\d+) \w+ in the log\)$/.exec(value)?.[1] : undefined;
  if (pushes === undefined || state === undefined || state === null) return inLanguage(value);
  const words = `${state.catchesUp ? "" : "no: "}${stateWords(state)}`;
  return bytesOfText(
    pushes === "1" ? phrase("{0} (1 push logged)", words) : phrase("{0} ({1} pushes logged)", words, pushes),
  );
}

/** The key that a member seals with, and those that it accepts, by their fingerprints. */
function keysText(keys: readonly string[] | undefined): string {
  return keys === undefined ? "" : ` key=${keys[0]} accepts=${keys.join(",")}`;
}

/** A line for a transfer, and one for each host that does not have it; with -v one for each host. */
function printTransfer(entry: HistoryEntry, verbosity: number): void {
  const { direction, from, durationMs, hosts, isCatchUp, undoes, transfer } = entry;
  const done = hosts.filter(({ outcome }) => outcome === "done").length;
  const verdict =
    direction === "received" ? (done === 1 ? "done" : "failed") : `${done} of ${hosts.length} done`;
  const amount = `${amountText(entry)}, ${(durationMs / 1000).toFixed(2)} s`;
  const kind = isCatchUp === true ? " (catch-up)" : undoes === undefined ? "" : ` (undo of ${undoes})`;
  const id = verbosity > 0 ? `, id ${transfer}` : "";
  printLine(
    `${localTime(entry.time)} ${direction.padEnd(8)} from ${from}: ${amount}: ${verdict}${kind}${id}`,
  );
  for (const { host, outcome, reason } of hosts) {
    if (outcome === "done" && verbosity === 0) continue;
    printLine(`  ${host}: ${outcome}${reason === "" ? "" : `: ${inLanguage(reason)}`}`);
  }
}

/** Such as 2026-11-24 13:40:12, in the time zone of the reader. */
function localTime(iso: string): string {
  const time = new Date(iso);
  const shifted = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return Number.isNaN(time.getTime()) ? iso : shifted.toISOString().slice(0, 19).replace("T", " ");
}
