/** The picture that msync --top shows: lines of text from what the daemon tells. */
import type { Activity, OutgoingTransfer } from "../console/protocol.ts";
import { progressLine } from "./progress-line.ts";

/** What was told at one moment. */
export interface Moment {
  readonly activity: Activity;
  /** By a clock that only goes forward. */
  readonly atMs: number;
}

/** The part of the width that progress may take; the rest is for the request. */
const PROGRESS_SHARE = 0.65;

/**
 * Draws a picture: this host, problems, transfers that are sent and received, members.
 *
 * @param before an earlier moment, from which rates are made; undefined for the first picture
 * @param columns the width of each line
 * @param rows the most lines
 */
export function picture(now: Moment, before: Moment | undefined, columns: number, rows: number): string[] {
  const { host, address, members, problems, outgoing, incoming, waiting } = now.activity;
  const lines = [
    `${host} (${address}): ${members.length} members, ${outgoing.length} sending, ${waiting} waiting, ` +
      `${incoming.length} receiving`,
    ...problems.map(({ reason }) => `problem: ${reason}`),
    ...section(
      "SENDING",
      outgoing.map((transfer) => outgoingLine(transfer, now, before, columns)),
    ),
    ...section(
      "RECEIVING",
      incoming.map(
        ({ from, seconds, dryRun }) => `from ${from}, for ${seconds} s${dryRun ? ", as a dry run" : ""}`,
      ),
    ),
    ...section(
      "MEMBERS",
      members.map((member) => {
        const isSlow = outgoing.some(({ slowest }) => slowest === member.host);
        const notes = [isSlow ? "slowest" : "", member.receives ? "" : "does not receive"];
        return [member.host, member.address, member.version, ...notes].filter((one) => one !== "").join("  ");
      }),
    ),
  ];
  return fitted(lines, columns, rows);
}

function outgoingLine(
  transfer: OutgoingTransfer,
  now: Moment,
  before: Moment | undefined,
  columns: number,
): string {
  const former = before?.activity.outgoing.find((one) => one.transfer === transfer.transfer);
  const seconds = (now.atMs - (before?.atMs ?? now.atMs)) / 1000;
  const rate = (amount: number, was: number | undefined) =>
    was === undefined || seconds <= 0 ? 0 : Math.max(0, amount - was) / seconds;
  const speed = {
    bytesPerSecond: rate(transfer.sentBytes, former?.sentBytes),
    entriesPerSecond: rate(transfer.entries, former?.entries),
  };
  const isCheck = transfer.wantedBytes === 0 && transfer.phase === "sending";
  const width = Math.floor(columns * PROGRESS_SHARE);
  const progress = progressLine({ event: "progress", ...transfer }, speed, transfer.slowest, width, isCheck);
  const user = transfer.user === "" ? "" : `${transfer.user}: `;
  return `${transfer.transfer}  ${progress}  ${user}msync ${transfer.request}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}

/** Cuts what has no room, and tells how many lines that are. */
function fitted(lines: readonly string[], columns: number, rows: number): string[] {
  const cut = lines.map((line) => (line.length <= columns ? line : line.slice(0, columns)));
  if (cut.length <= rows) return cut;
  const shown = Math.max(0, rows - 1);
  return [...cut.slice(0, shown), `(and ${cut.length - shown} more lines)`.slice(0, columns)];
}
