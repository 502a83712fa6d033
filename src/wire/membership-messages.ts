/** Node info, HELLO, ALIVE, CHALLENGE, RESPONSE. */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { DecodeError } from "../base/bytes.ts";
import { hexOf, bytesOfHex } from "../base/hex.ts";
import {
  DATAGRAM_BYTES,
  FINGERPRINT_BYTES,
  FINGERPRINTS,
  HOST_NAME_BYTES,
  LABEL_BYTES,
  LABELS,
  LEAST_DATAGRAM_BYTES,
  OLDEST_PROTOCOL,
  VERSION_BYTES,
} from "./limits.ts";

/** A node's description of itself (PROTOCOL.md 4.1). */
export interface NodeInfo {
  readonly hostName: string;
  /** The program's version, such as "2.0.0". */
  readonly version: string;
  /** The version of the protocol that it speaks. */
  readonly protocol: number;
  readonly receives: boolean;
  readonly sends: boolean;
  readonly labels: readonly string[];
  /** The longest datagram that its interface takes in one packet; left out if that is the longest that there is. */
  readonly datagramBytes?: number;
  /**
   * The fingerprints of the keys that the node accepts, 8 hexadecimal digits each; it seals with the first one. Not a field of
   * node info on the wire: a message KEYS tells it. Undefined for a node that has not told, or has no key.
   */
  readonly keys?: readonly string[] | undefined;
}

const Flag = { receives: 1, sends: 2 } as const;
/** 128 bits, so that nobody can guess a nonce. */
const NONCE_BYTES = 16;

/** Stands for the absence of a nonce. */
export const NO_NONCE = "0".repeat(NONCE_BYTES * 2);

/**
 * Stands between the version of the program and that of the protocol. Node info has no field for the protocol, because
 * version 2 knew none and allows nothing after the last field. Nodes of version 2 show both to people as they are.
 */
const PROTOCOL_MARK = "+wire";

/**
 * Stands between the version of the program and the longest datagram of the node, where that is shorter than the usual one.
 * It has its place before the version of the protocol.
 */
const DATAGRAM_MARK = "+datagram";
const MARKED_DATAGRAM = /^(.+)\+datagram(\d{4})$/;

/** A version text that names the version of the protocol, too: nodes of version 2 name none. */
const MARKED_VERSION = /^(.+)\+wire([1-9]\d{0,2})$/;

export function encodeNodeInfo(writer: ByteWriter, info: NodeInfo): void {
  writer.u8((info.receives ? Flag.receives : 0) | (info.sends ? Flag.sends : 0));
  writer.shortText(info.hostName).shortText(versionText(info));
  writer.u8(info.labels.length);
  for (const label of info.labels) writer.shortText(label);
}

export function decodeNodeInfo(reader: ByteReader): NodeInfo {
  const flags = reader.u8();
  if (flags > 3) throw new DecodeError("unknown flags");
  const hostName = limited(reader.shortText(), HOST_NAME_BYTES);
  const versions = readVersion(limited(reader.shortText(), VERSION_BYTES));
  const count = reader.u8();
  if (count > LABELS) throw new DecodeError("too many labels");
  const labels: string[] = [];
  for (let index = 0; index < count; index++) labels.push(limited(reader.shortText(), LABEL_BYTES));
  return {
    hostName,
    ...versions,
    receives: (flags & Flag.receives) !== 0,
    sends: (flags & Flag.sends) !== 0,
    labels,
  };
}

function versionText({ version, protocol, datagramBytes }: NodeInfo): string {
  if (protocol === OLDEST_PROTOCOL) return version;
  const isUsual = datagramBytes === undefined || datagramBytes >= DATAGRAM_BYTES;
  const datagram = isUsual ? "" : `${DATAGRAM_MARK}${datagramBytes}`;
  return `${version}${datagram}${PROTOCOL_MARK}${protocol}`;
}

function readVersion(text: string): Pick<NodeInfo, "version" | "protocol" | "datagramBytes"> {
  const [, rest, protocol] = MARKED_VERSION.exec(text) ?? [];
  if (rest === undefined || Number(protocol) <= OLDEST_PROTOCOL)
    return { version: text, protocol: OLDEST_PROTOCOL };
  const [, version = rest, bytes] = MARKED_DATAGRAM.exec(rest) ?? [];
  const datagramBytes = Number(bytes);
  const isShort = datagramBytes >= LEAST_DATAGRAM_BYTES && datagramBytes < DATAGRAM_BYTES;
  return { version, protocol: Number(protocol), ...(isShort && { datagramBytes }) };
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

/** KEYS: the keys that a node accepts (PROTOCOL.md 4.1). */
export interface Keys {
  /** Fingerprints of 8 hexadecimal digits, 1 to 8; the node seals with the first one. */
  readonly keys: readonly string[];
}

export function encodeKeys(writer: ByteWriter, { keys }: Keys): void {
  writer.u8(keys.length);
  for (const key of keys) writer.raw(bytesOfHex(key));
}

export function decodeKeys(reader: ByteReader): Keys {
  const count = reader.u8();
  if (count === 0 || count > FINGERPRINTS) throw new DecodeError("no key, or too many");
  return { keys: Array.from({ length: count }, () => hexOf(reader.raw(FINGERPRINT_BYTES))) };
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

/** The address that a node sends from. */
export interface Endpoint {
  /** Four numbers with dots between them. */
  readonly ip: string;
  readonly port: number;
}

/** Which way a CHALLENGE or RESPONSE goes. It is sealed, so it proves where the packet comes from and who it is for. */
export interface Route {
  /** The epoch of the node that it is for: 16 hexadecimal digits. */
  readonly to: string;
  /** The address that its sender sends from. */
  readonly from: Endpoint;
}

function encodeRoute(writer: ByteWriter, { to, from }: Route): void {
  writer.raw(bytesOfHex(to));
  for (const byte of from.ip.split(".")) writer.u8(Number(byte));
  writer.u16(from.port);
}

function decodeRoute(reader: ByteReader): Route {
  const to = hexOf(reader.raw(8));
  const ip = reader.raw(4).join(".");
  return { to, from: { ip, port: reader.u16() } };
}

/** CHALLENGE: a request to answer this nonce, as proof that the node has the key now, and this address. */
export interface Challenge extends OldChallenge, Route {
  /** Whether HELLO and ALIVE of the challenged node, which is a member, have not arrived for a while. */
  readonly isMissed: boolean;
}

export function encodeChallenge(writer: ByteWriter, message: Challenge): void {
  writer.raw(bytesOfHex(message.nonce));
  encodeRoute(writer, message);
  writer.u8(message.isMissed ? 1 : 0);
  encodeNodeInfo(writer, message.info);
}

export function decodeChallenge(reader: ByteReader): Challenge {
  const nonce = hexOf(reader.raw(NONCE_BYTES));
  const route = decodeRoute(reader);
  const isMissed = reader.flag();
  return { nonce, ...route, isMissed, info: decodeNodeInfo(reader) };
}

/** RESPONSE: the nonce of a CHALLENGE, sealed by the challenged node, with a nonce of its own or NO_NONCE. */
export interface Response extends OldResponse, Route {}

export function encodeResponse(writer: ByteWriter, message: Response): void {
  writer.raw(bytesOfHex(message.answer)).raw(bytesOfHex(message.nonce));
  encodeRoute(writer, message);
  encodeNodeInfo(writer, message.info);
}

export function decodeResponse(reader: ByteReader): Response {
  const answer = hexOf(reader.raw(NONCE_BYTES));
  const nonce = hexOf(reader.raw(NONCE_BYTES));
  return { answer, nonce, ...decodeRoute(reader), info: decodeNodeInfo(reader) };
}

/** CHALLENGE of version 2, which does not say where it comes from. */
export interface OldChallenge extends Presence {
  /** 32 hexadecimal digits. */
  readonly nonce: string;
}

export function encodeOldChallenge(writer: ByteWriter, message: OldChallenge): void {
  writer.raw(bytesOfHex(message.nonce));
  encodeNodeInfo(writer, message.info);
}

export function decodeOldChallenge(reader: ByteReader): OldChallenge {
  const nonce = hexOf(reader.raw(NONCE_BYTES));
  return { nonce, info: decodeNodeInfo(reader) };
}

/** RESPONSE of version 2. */
export interface OldResponse extends Presence {
  readonly answer: string;
  readonly nonce: string;
}

export function encodeOldResponse(writer: ByteWriter, message: OldResponse): void {
  writer.raw(bytesOfHex(message.answer)).raw(bytesOfHex(message.nonce));
  encodeNodeInfo(writer, message.info);
}

export function decodeOldResponse(reader: ByteReader): OldResponse {
  const answer = hexOf(reader.raw(NONCE_BYTES));
  const nonce = hexOf(reader.raw(NONCE_BYTES));
  return { answer, nonce, info: decodeNodeInfo(reader) };
}
