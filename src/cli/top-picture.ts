/** The picture that msync --top shows: lines of text from what the daemon tells. */
import { displayText } from "../base/display.ts";
import type { Activity, OutgoingTransfer } from "../console/protocol.ts";
import type { Phrase } from "./japanese-phrases.ts";
import { inLanguage, phrase } from "./language.ts";
import { progressLine } from "./progress-line.ts";
import { beginningOf } from "./text-columns.ts";

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
  const here = `${displayText(host)} (${address})`;
  const lines = [
    phrase(
      "{0}: {1} members, {2} sending, {3} waiting, {4} receiving",
      ...[here, members.length, outgoing.length, waiting, incoming.length],
    ),
    ...problems.map(({ reason }) => phrase("problem: {0}", displayText(inLanguage(reason)))),
    ...section(
      "SENDING",
      outgoing.map((transfer) => outgoingLine(transfer, now, before, columns)),
    ),
    ...section(
      "RECEIVING",
      incoming.map(({ from, seconds, dryRun }) =>
        phrase(
          dryRun ? "from {0}, for {1} s, as a dry run" : "from {0}, for {1} s",
          displayText(from),
          seconds,
        ),
      ),
    ),
    ...section(
      "MEMBERS",
      members.map((member) => {
        const isSlow = outgoing.some(({ slowest }) => slowest === member.host);
        const notes = [isSlow ? phrase("slowest") : "", member.receives ? "" : phrase("does not receive")];
        const parts = [displayText(member.host), member.address, displayText(member.version), ...notes];
        return parts.filter((one) => one !== "").join("  ");
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
  const progress = progressLine(
    { event: "progress", ...transfer },
    speed,
    displayText(transfer.slowest),
    width,
    isCheck,
  );
  const user = transfer.user === "" ? "" : `${displayText(transfer.user)}: `;
  return `${transfer.transfer}  ${progress}  ${user}msync ${displayText(transfer.request)}`;
}

function section(title: Phrase, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", phrase(title), ...lines.map((line) => `  ${line}`)];
}

/** Cuts what has no room, and tells how many lines that are. */
function fitted(lines: readonly string[], columns: number, rows: number): string[] {
  const cut = lines.map((line) => beginningOf(line, columns));
  if (cut.length <= rows) return cut;
  const shown = Math.max(0, rows - 1);
  return [...cut.slice(0, shown), beginningOf(phrase("(and {0} more lines)", cut.length - shown), columns)];
}
