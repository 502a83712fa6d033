/** Answers the questions of a sender for findings. */
import { CONTROL_PLAINTEXT_BYTES } from "../../wire/datagram.ts";
import { type Finding, findingBytes, type Findings, FINDINGS_FIXED_BYTES } from "../../wire/findings.ts";
import { FINDINGS_PER_MESSAGE } from "../../wire/limits.ts";
import type { Effect, InboundKey, Member } from "../types.ts";

/**
 * So many messages are sent for one INQUIRY. The sender asks eight members at a time: their answers together are 92
 * KB at most, which the smallest socket buffer takes. More could get lost there.
 */
const MESSAGES = 8;

/** The findings of one transfer (PROTOCOL.md 5.8): the disk has them, and they are sent when the sender asks. */
export class FindingsAnswers {
  private readonly key: InboundKey;
  private readonly sender: Member;
  private readonly effects: Effect[];
  /** How many findings there are so far. */
  total = 0;

  /** @param effects where questions to the disk and answers are put */
  constructor(key: InboundKey, sender: Member, effects: Effect[]) {
    this.key = key;
    this.sender = sender;
    this.effects = effects;
  }

  /** The disk has so many findings by now. */
  note(total: number): void {
    this.total = Math.max(this.total, total);
  }

  /** The sender asks for the findings from a number on. */
  ask(first: number): void {
    if (first < this.total) this.effects.push({ kind: "read-findings", key: this.key, first });
  }

  /** The disk gives the findings from that number on. */
  give(first: number, findings: readonly Finding[]): void {
    const { epoch, transfer } = this.key;
    const destination = { to: "address", address: this.sender.address } as const;
    for (const body of messagesOf(epoch, transfer, first, findings))
      this.effects.push({ kind: "send", destination, message: { type: "findings", body } });
  }
}

/**
 * Cuts findings into the messages of one answer.
 *
 * @param first the number of the first finding
 */
function messagesOf(
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
