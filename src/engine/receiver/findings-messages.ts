/** Cuts findings into messages. */
import { CONTROL_PLAINTEXT_BYTES } from "../../wire/datagram.ts";
import { type Finding, findingBytes, type Findings, FINDINGS_FIXED_BYTES } from "../../wire/findings.ts";
import { FINDINGS_PER_MESSAGE } from "../../wire/limits.ts";

/** So many messages are sent for one INQUIRY: more could get lost at a sender that asks several members. */
const MESSAGES = 8;

/**
 * Cuts findings into the messages of one answer (PROTOCOL.md 5.8).
 *
 * @param first the number of the first finding
 */
export function findingsMessages(
  sender: string,
  transfer: number,
  first: number,
  findings: readonly Finding[],
): Findings[] {
  const pieces: Finding[][] = [];
  let piece: Finding[] = [];
  let room = 0;
  for (const finding of findings) {
    room -= findingBytes(finding);
    if (room < 0 || piece.length === FINDINGS_PER_MESSAGE) {
      if (pieces.length === MESSAGES) break;
      piece = [];
      pieces.push(piece);
      // One byte is the number of the message type.
      room = CONTROL_PLAINTEXT_BYTES - 1 - FINDINGS_FIXED_BYTES - findingBytes(finding);
    }
    piece.push(finding);
  }
  let next = first;
  return pieces.map((one, index) => {
    const message = { sender, transfer, first: next, hasMore: index < pieces.length - 1, findings: one };
    next += one.length;
    return message;
  });
}
