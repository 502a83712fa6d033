/** The line of a progress bar: what it says, and how it fits into a terminal. */
import type { ProgressEvent } from "../console/protocol.ts";
import { phrase } from "./language.ts";
import { columnsOf, endOf } from "./text-columns.ts";

/** The bar is not shown if less is left for it. */
const LEAST_BAR = 6;
const LONGEST_BAR = 30;

/** How fast a push is, as it was measured. */
export interface Speed {
  readonly bytesPerSecond: number;
  /** Entries a second; for a check, which sends no contents. */
  readonly entriesPerSecond: number;
}

/**
 * The line for a push. The name of the slowest member is never cut: if there is no room, other parts are left out, those at
 * the end of this list first: bar, time left, rate, bytes.
 *
 * @param name the slowest member, as text
 * @param columns the width of the terminal
 * @param isCheck whether contents are compared, and none are sent
 */
export function progressLine(
  event: ProgressEvent,
  speed: Speed,
  name: string,
  columns: number,
  isCheck: boolean,
): string {
  const parts = isCheck ? checkParts(event, speed) : pushParts(event, speed);
  const hosts = hostsText(event);
  const slowest =
    name === "" ? "" : phrase(event.phase === "committing" ? "waits for {0}" : "slowest {0}", name);
  // The cursor stands after the line.
  const width = columns - 1;
  for (let shown = parts.length; shown >= 0; shown--) {
    const line = [...parts.slice(0, shown), hosts, slowest].filter((part) => part !== "").join("  ");
    if (columnsOf(line) > width && shown > 0) continue;
    return isCheck ? tailOf(line, width) : withBar(line, event, width);
  }
  return "";
}

function pushParts({ sentBytes, wantedBytes, phase }: ProgressEvent, { bytesPerSecond }: Speed): string[] {
  if (phase === "committing") return [percentText(1), phrase("switching")];
  const share = wantedBytes === 0 ? 0 : sentBytes / wantedBytes;
  const left = bytesPerSecond > 0 ? (wantedBytes - sentBytes) / bytesPerSecond : undefined;
  return [
    percentText(share),
    `${bytesText(sentBytes)}/${bytesText(wantedBytes)}`,
    `${bytesText(bytesPerSecond)}/s`,
    ...(left === undefined ? [] : [phrase("{0} left", timeText(left))]),
  ];
}

function checkParts({ entries, phase }: ProgressEvent, { entriesPerSecond }: Speed): string[] {
  const doing = phrase(phase === "committing" ? "ending" : "comparing");
  return [doing, phrase("{0} entries", entries), `${Math.round(entriesPerSecond)}/s`];
}

function hostsText({ hosts, hostsReady, hostsFailed }: ProgressEvent): string {
  const ready = `${hostsReady}/${hosts}`;
  return hostsFailed === 0 ? phrase("{0} hosts", ready) : phrase("{0} hosts, {1} failed", ready, hostsFailed);
}

function withBar(line: string, { sentBytes, wantedBytes }: ProgressEvent, width: number): string {
  const room = Math.min(LONGEST_BAR, width - columnsOf(line) - 3);
  if (room < LEAST_BAR) return tailOf(line, width);
  const filled = Math.round(room * (wantedBytes === 0 ? 0 : sentBytes / wantedBytes));
  return `[${"#".repeat(filled)}${"-".repeat(room - filled)}] ${line}`;
}

/** A name that is wider than the terminal: its end, where names of one fleet mostly differ. */
function tailOf(line: string, width: number): string {
  return endOf(line, width);
}

function percentText(share: number): string {
  return `${String(Math.floor(100 * share)).padStart(3)}%`;
}

/** Three digits and a unit, such as 1.25GB. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)}${units[unit]}`;
}

/** Such as 0:05, 12:30 or 1:02:03. */
export function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (number: number) => String(number).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
