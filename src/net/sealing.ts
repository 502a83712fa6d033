/** Derives keys; seals and opens control messages (PROTOCOL.md 7). */
import crypto from "node:crypto";
import { bytesOfHex } from "../base/hex.ts";
import {
  CONTROL_HEADER_BYTES,
  type ControlHeader,
  decodeControlHeader,
  encodeControlHeader,
} from "../wire/datagram.ts";
import { DATAGRAM_BYTES, SESSION_KEYS, TAG_BYTES } from "../wire/limits.ts";
import { NONCE_BYTES, usualCipher } from "./in-place-cipher.ts";
import { ReplayWindow } from "./replay-window.ts";

/** The key of AES-256. Each node and epoch has its own, so that counters serve as nonces and none is used twice. */
const KEY_BYTES = 32;

/** The key of a fleet without a secret one. Everybody knows it: it only tells damaged packets from whole ones. */
const PUBLIC_KEY = crypto.createHash("sha256").update("makuosan without a key").digest();

/** The secret key of a fleet: every node that has it can write to all others. */
export class FleetKey {
  private readonly secret: Buffer;
  /** Whether the fleet has a secret key. */
  readonly isSecret: boolean;

  /** @param secret 32 bytes, or undefined for a fleet without a key */
  constructor(secret: Buffer | undefined) {
    this.secret = secret ?? PUBLIC_KEY;
    this.isSecret = secret !== undefined;
  }

  /** The key that one node seals its control messages with, in one epoch. */
  controlKey(nodeId: string, epoch: string): Buffer {
    return this.derive(epoch, `makuosan 2 control ${nodeId}`);
  }

  /** The key that one transfer's blocks are sealed with. */
  transferKey(epoch: string, transfer: number): Buffer {
    return this.derive(epoch, `makuosan 2 transfer ${transfer}`);
  }

  private derive(epoch: string, purpose: string): Buffer {
    return Buffer.from(crypto.hkdfSync("sha256", this.secret, bytesOfHex(epoch), purpose, KEY_BYTES));
  }
}

/** Seals this node's control messages. */
export class ControlSealer {
  private readonly fleetKey: FleetKey;
  private key: Buffer;
  private nodeId: string;
  private readonly epoch: string;
  private counter = 0n;

  constructor(fleetKey: FleetKey, nodeId: string, epoch: string) {
    this.fleetKey = fleetKey;
    this.key = fleetKey.controlKey(nodeId, epoch);
    this.nodeId = nodeId;
    this.epoch = epoch;
  }

  /** Seals as a node with another id from now on, in the same epoch. */
  rename(nodeId: string): void {
    this.key = this.fleetKey.controlKey(nodeId, this.epoch);
    this.nodeId = nodeId;
  }

  /** The datagram of a control message. */
  seal(plaintext: Uint8Array): Buffer {
    const header: ControlHeader = { nodeId: this.nodeId, epoch: this.epoch, counter: ++this.counter };
    const associated = encodeControlHeader(header, plaintext.length);
    const datagram = Buffer.concat([associated, plaintext, Buffer.alloc(TAG_BYTES)]);
    const body = datagram.subarray(CONTROL_HEADER_BYTES, -TAG_BYTES);
    const tag = datagram.subarray(-TAG_BYTES);
    usualCipher().seal(this.key, controlNonce(this.counter), associated, body, tag);
    return datagram;
  }
}

/** The result of opening a control datagram. */
export type Opened =
  | { readonly kind: "opened"; readonly header: ControlHeader; readonly plaintext: Buffer }
  /** Sealed with another key, or damaged. */
  | { readonly kind: "foreign" }
  /** Received before, or so old that the window does not reach back to it. */
  | { readonly kind: "replayed" }
  /** Of a node whose key is not known, and may not be derived now. */
  | { readonly kind: "unexamined" };

interface Session {
  readonly key: Buffer;
  readonly window: ReplayWindow;
}

/**
 * Keys that are kept of nodes of which nothing has opened: those of a fleet with another key on the same group, who go on
 * sending. A name is not held against anybody: a stranger can send a packet under the name of a node that has just started.
 */
const STRANGER_KEYS = 256;

/** Opens the control messages of all other nodes. Messages that do not open take no lasting memory. */
export class ControlOpener {
  private readonly fleetKey: FleetKey;
  /** By node id and epoch, in the order of their last use. */
  private readonly sessions = new Map<string, Session>();
  /** The keys of nodes of which nothing has opened yet, by the same names, the oldest first. */
  private readonly strangers = new Map<string, Buffer>();

  constructor(fleetKey: FleetKey) {
    this.fleetKey = fleetKey;
  }

  /**
   * Opens a datagram.
   *
   * @param mayDerive asked before a key is derived, which costs far more than to open a message
   * @throws DecodeError for one without a whole header
   */
  open(datagram: Uint8Array, mayDerive: () => boolean = () => true): Opened {
    const header = decodeControlHeader(datagram);
    const name = `${header.nodeId}/${header.epoch}`;
    const session = this.sessions.get(name);
    const key = session?.key ?? this.strangers.get(name) ?? this.newKey(name, header, mayDerive);
    if (key === undefined) return { kind: "unexamined" };
    const plaintext = openControl(key, header.counter, datagram);
    if (plaintext === undefined) return { kind: "foreign" };
    const opened = session ?? { key, window: new ReplayWindow() };
    if (!opened.window.accept(header.counter)) return { kind: "replayed" };
    this.keep(name, opened);
    return { kind: "opened", header, plaintext };
  }

  private newKey(name: string, header: ControlHeader, mayDerive: () => boolean): Buffer | undefined {
    if (!mayDerive()) return undefined;
    const key = this.fleetKey.controlKey(header.nodeId, header.epoch);
    this.strangers.set(name, key);
    if (this.strangers.size > STRANGER_KEYS) dropOldest(this.strangers);
    return key;
  }

  private keep(name: string, session: Session): void {
    this.sessions.delete(name);
    this.sessions.set(name, session);
    this.strangers.delete(name);
    if (this.sessions.size > SESSION_KEYS) dropOldest(this.sessions);
  }
}

function dropOldest(kept: Map<string, unknown>): void {
  const [oldest] = kept.keys();
  if (oldest !== undefined) kept.delete(oldest);
}

/** Where messages are opened, so that those of strangers take no memory, and a nonce for each. */
const opening = Buffer.alloc(DATAGRAM_BYTES);
const nonce = Buffer.alloc(NONCE_BYTES);

function openControl(key: Buffer, counter: bigint, datagram: Uint8Array): Buffer | undefined {
  if (datagram.length > DATAGRAM_BYTES) return undefined;
  const associated = datagram.subarray(0, CONTROL_HEADER_BYTES);
  // The memory of the datagram is used for the next one.
  opening.set(datagram);
  const end = datagram.length - TAG_BYTES;
  const body = opening.subarray(CONTROL_HEADER_BYTES, end);
  const tag = opening.subarray(end, datagram.length);
  const isOpen = usualCipher().open(key, controlNonce(counter), associated, body, tag);
  return isOpen ? Buffer.from(body) : undefined;
}

function controlNonce(counter: bigint): Buffer {
  nonce.writeBigUInt64LE(counter);
  return nonce;
}
