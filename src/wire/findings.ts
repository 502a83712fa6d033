/** INQUIRY and FINDINGS: reports of members beyond their wants. */
import { type ByteReader, type ByteWriter, DecodeError } from "../base/bytes.ts";
import { bytesOfHex, hexOf } from "../base/hex.ts";
import { FINDING_PATH_BYTES, FINDINGS_PER_MESSAGE, REASON_BYTES } from "./limits.ts";

/** The kinds of reports of a member on a path beyond its wants (PROTOCOL.md 5.8). */
export const FindingKind = {
  /** The sender does not have it: it is deleted. */
  superfluous: 1,
  /** The member cannot make it, or not with all its attributes; the text says why. */
  note: 2,
} as const;

export type FindingKind = (typeof FindingKind)[keyof typeof FindingKind];

export interface Finding {
  readonly kind: FindingKind;
  /** Cut at its beginning if it is longer than FINDING_PATH_BYTES. */
  readonly path: string;
  readonly text: string;
}

/** INQUIRY: the sender asks one member for its findings from a number on. */
export interface Inquiry {
  readonly transfer: number;
  readonly first: number;
}

/** FINDINGS: some findings of a member, with consecutive numbers. */
export interface Findings {
  /** The sender of the transfer, by its epoch. */
  readonly sender: string;
  readonly transfer: number;
  /** The number of the first finding in this message. */
  readonly first: number;
  /** Whether another message of the same answer follows. */
  readonly hasMore: boolean;
  readonly findings: readonly Finding[];
}

/** Bytes of FINDINGS without the list. */
export const FINDINGS_FIXED_BYTES = 8 + 4 + 4 + 1 + 1;

export function findingBytes(finding: Finding): number {
  return 1 + 2 + finding.path.length + 2 + finding.text.length;
}

/** Makes a finding, and shortens a path or a text that is too long for a message. */
export function makeFinding(kind: FindingKind, path: string, text = ""): Finding {
  const shown = path.length <= FINDING_PATH_BYTES ? path : `...${path.slice(3 - FINDING_PATH_BYTES)}`;
  return { kind, path: shown, text: text.slice(0, REASON_BYTES / 2) };
}

export function encodeInquiry(writer: ByteWriter, message: Inquiry): void {
  writer.u32(message.transfer).u32(message.first);
}

export function decodeInquiry(reader: ByteReader): Inquiry {
  return { transfer: reader.u32(), first: reader.u32() };
}

export function encodeFindings(writer: ByteWriter, message: Findings): void {
  writer.raw(bytesOfHex(message.sender)).u32(message.transfer).u32(message.first);
  writer.u8(message.hasMore ? 1 : 0).u8(message.findings.length);
  for (const { kind, path, text } of message.findings) writer.u8(kind).longText(path).longText(text);
}

export function decodeFindings(reader: ByteReader): Findings {
  const sender = hexOf(reader.raw(8));
  const transfer = reader.u32();
  const first = reader.u32();
  const hasMore = reader.flag();
  const count = reader.u8();
  if (count > FINDINGS_PER_MESSAGE) throw new DecodeError("too many findings");
  const findings: Finding[] = [];
  for (let index = 0; index < count; index++) findings.push(decodeFinding(reader));
  return { sender, transfer, first, hasMore, findings };
}

function decodeFinding(reader: ByteReader): Finding {
  const kind = reader.u8();
  if (kind !== FindingKind.superfluous && kind !== FindingKind.note) throw new DecodeError("unknown finding");
  const path = reader.longText();
  const text = reader.longText();
  if (path.length > FINDING_PATH_BYTES || text.length > REASON_BYTES / 2) {
    throw new DecodeError("a finding is too long");
  }
  return { kind, path, text };
}
