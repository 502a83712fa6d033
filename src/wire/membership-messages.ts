/** Node info, HELLO, ALIVE, CHALLENGE, RESPONSE. */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { DecodeError } from "../base/bytes.ts";
import { hexOf, bytesOfHex } from "../base/hex.ts";
import {
  FINGERPRINT_BYTES,
  FINGERPRINTS,
  HOST_NAME_BYTES,
  LABEL_BYTES,
  LABELS,
  VERSION_BYTES,
} from "./limits.ts";

/** A node's description of itself (PROTOCOL.md 4.1). */
export interface NodeInfo {
  readonly hostName: string;
  /** The program's version, such as "2.0.0". */
  readonly version: string;
  readonly receives: boolean;
  readonly sends: boolean;
  readonly labels: readonly string[];
  /**
   * The fingerprints of the keys that the node accepts, 8 hexadecimal digits each; it seals with the first one. Undefined for
   * a node that does not say, or has no key.
   */
  readonly keys?: readonly string[] | undefined;
}

const Flag = { receives: 1, sends: 2 } as const;
/** 128 bits, so that nobody can guess a nonce. */
const NONCE_BYTES = 16;

/** Stands for the absence of a nonce. */
export const NO_NONCE = "0".repeat(NONCE_BYTES * 2);

export function encodeNodeInfo(writer: ByteWriter, info: NodeInfo): void {
  writer.u8((info.receives ? Flag.receives : 0) | (info.sends ? Flag.sends : 0));
  writer.shortText(info.hostName).shortText(info.version);
  writer.u8(info.labels.length);
  for (const label of info.labels) writer.shortText(label);
  const { keys = [] } = info;
  if (keys.length === 0) return;
  writer.u8(keys.length);
  for (const key of keys) writer.raw(bytesOfHex(key));
}

/** Node info is the last field of its message: the list at its end is left out by a node without a key. */
export function decodeNodeInfo(reader: ByteReader): NodeInfo {
  const flags = reader.u8();
  if (flags > 3) throw new DecodeError("unknown flags");
  const hostName = limited(reader.shortText(), HOST_NAME_BYTES);
  const version = limited(reader.shortText(), VERSION_BYTES);
  const count = reader.u8();
  if (count > LABELS) throw new DecodeError("too many labels");
  const labels: string[] = [];
  for (let index = 0; index < count; index++) labels.push(limited(reader.shortText(), LABEL_BYTES));
  const keys = reader.remaining === 0 ? {} : { keys: decodeKeys(reader) };
  return {
    hostName,
    version,
    receives: (flags & Flag.receives) !== 0,
    sends: (flags & Flag.sends) !== 0,
    labels,
    ...keys,
  };
}

function decodeKeys(reader: ByteReader): string[] {
  const count = reader.u8();
  if (count === 0 || count > FINGERPRINTS) throw new DecodeError("no key, or too many");
  return Array.from({ length: count }, () => hexOf(reader.raw(FINGERPRINT_BYTES)));
}

/** These names are shown on terminals and written into logs, so only printable characters are accepted. */
function limited(text: string, most: number): string {
  if (text.length === 0 || text.length > most) throw new DecodeError("a name is empty or too long");
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || code >= 0x7f) throw new DecodeError("a name has a character that cannot be shown");
  }
  return text;
}

/** HELLO, ALIVE: a node announces itself to the group. */
export interface Presence {
  readonly info: NodeInfo;
}

export function encodePresence(writer: ByteWriter, message: Presence): void {
  encodeNodeInfo(writer, message.info);
}

export function decodePresence(reader: ByteReader): Presence {
  return { info: decodeNodeInfo(reader) };
}

/** CHALLENGE: a request to answer this nonce, as proof that the node has the key now. */
export interface Challenge extends Presence {
  /** 32 hexadecimal digits. */
  readonly nonce: string;
}

export function encodeChallenge(writer: ByteWriter, message: Challenge): void {
  writer.raw(bytesOfHex(message.nonce));
  encodeNodeInfo(writer, message.info);
}

export function decodeChallenge(reader: ByteReader): Challenge {
  const nonce = hexOf(reader.raw(NONCE_BYTES));
  return { nonce, info: decodeNodeInfo(reader) };
}

/** RESPONSE: the nonce of a CHALLENGE, sealed by the challenged node, with a nonce of its own or NO_NONCE. */
export interface Response extends Presence {
  readonly answer: string;
  readonly nonce: string;
}

export function encodeResponse(writer: ByteWriter, message: Response): void {
  writer.raw(bytesOfHex(message.answer)).raw(bytesOfHex(message.nonce));
  encodeNodeInfo(writer, message.info);
}

export function decodeResponse(reader: ByteReader): Response {
  const answer = hexOf(reader.raw(NONCE_BYTES));
  const nonce = hexOf(reader.raw(NONCE_BYTES));
  return { answer, nonce, info: decodeNodeInfo(reader) };
}
