/** Derives keys; seals and opens control messages (PROTOCOL.md 7). */
import crypto from "node:crypto";
import { bytesOfHex, hexOf } from "../base/hex.ts";
import {
  CONTROL_HEADER_BYTES,
  type ControlHeader,
  decodeControlHeader,
  encodeControlHeader,
} from "../wire/datagram.ts";
import { DATAGRAM_BYTES, FINGERPRINT_BYTES, SESSION_KEYS, TAG_BYTES } from "../wire/limits.ts";
import { NONCE_BYTES, usualCipher } from "./in-place-cipher.ts";
import { ReplayWindow } from "./replay-window.ts";

/** The key of AES-256. Each node and epoch has its own, so that counters serve as nonces and none is used twice. */
const KEY_BYTES = 32;

/** The key of a fleet without a secret one. Everybody knows it: it only tells damaged packets from whole ones. */
const PUBLIC_KEY = crypto.createHash("sha256").update("makuosan without a key").digest();

/** A fingerprint tells keys apart for people and is no secret: 32 bits of the key's derivation (PROTOCOL.md 7.1). */
const NO_SALT = Buffer.alloc(0);

/** A secret key of a fleet: every node that has it can write to all others. */
export class FleetKey {
  private readonly secret: Buffer;
  /** Whether the fleet has a secret key. */
  readonly isSecret: boolean;
  /** 8 hexadecimal digits by which people tell keys apart; the key cannot be found from them. */
  readonly fingerprint: string;

  /** @param secret 32 bytes, or undefined for a fleet without a key */
  constructor(secret: Buffer | undefined) {
    this.secret = secret ?? PUBLIC_KEY;
    this.isSecret = secret !== undefined;
    const derived = crypto.hkdfSync(
      "sha256",
      this.secret,
      NO_SALT,
      "makuosan fingerprint",
      FINGERPRINT_BYTES,
    );
    this.fingerprint = hexOf(new Uint8Array(derived));
  }

  /** Whether this key has these 32 bytes. */
  hasSecret(secret: Uint8Array): boolean {
    return this.isSecret && crypto.timingSafeEqual(this.secret, secret);
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
  /** What is derived of each key of the fleet for this node; gone with the key. */
  private derived = new WeakMap<FleetKey, Buffer>();
  private nodeId: string;
  private readonly epoch: string;
  private counter = 0n;

  /** @param fleetKey the key of messages for which no other is given */
  constructor(fleetKey: FleetKey, nodeId: string, epoch: string) {
    this.fleetKey = fleetKey;
    this.nodeId = nodeId;
    this.epoch = epoch;
  }

  /** Seals as a node with another id from now on, in the same epoch. */
  rename(nodeId: string): void {
    this.derived = new WeakMap();
    this.nodeId = nodeId;
  }

  /** The datagram of a control message. One counter serves all keys, so receivers need one window. */
  seal(plaintext: Uint8Array, fleetKey: FleetKey = this.fleetKey): Buffer {
    const header: ControlHeader = { nodeId: this.nodeId, epoch: this.epoch, counter: ++this.counter };
    const associated = encodeControlHeader(header, plaintext.length);
    const datagram = Buffer.concat([associated, plaintext, Buffer.alloc(TAG_BYTES)]);
    const body = datagram.subarray(CONTROL_HEADER_BYTES, -TAG_BYTES);
    const tag = datagram.subarray(-TAG_BYTES);
    usualCipher().seal(this.keyOf(fleetKey), controlNonce(this.counter), associated, body, tag);
    return datagram;
  }

  private keyOf(fleetKey: FleetKey): Buffer {
    const known = this.derived.get(fleetKey);
    if (known !== undefined) return known;
    const key = fleetKey.controlKey(this.nodeId, this.epoch);
    this.derived.set(fleetKey, key);
    return key;
  }
}

/** The result of opening a control datagram. */
export type Opened =
  | {
      readonly kind: "opened";
      readonly header: ControlHeader;
      readonly plaintext: Buffer;
      /** The key of the fleet that it was sealed under. */
      readonly fleetKey: FleetKey;
    }
  /** Sealed with another key, or damaged. */
  | { readonly kind: "foreign"; readonly header: ControlHeader }
  /** Received before, or so old that the window does not reach back to it. */
  | { readonly kind: "replayed" }
  /** Of a node whose key is not known, and may not be derived now. */
  | { readonly kind: "unexamined" };

/** The keys of one node and epoch, by the keys of the fleet that they were derived from. */
type NodeKeys = Map<FleetKey, Buffer>;

interface Session {
  readonly keys: NodeKeys;
  /** Counters are the node's own, whatever key it uses: a new key of the fleet opens nothing a second time. */
  readonly window: ReplayWindow;
  /** The key of the last message, which is nearly always that of the next one. */
  lastUsed: FleetKey;
}

/** The keys of the fleet that may open a message at this time, those that are tried first in front. */
export interface OpeningKeys {
  readonly opening: readonly FleetKey[];
}

/**
 * Nodes of which nothing has opened and whose keys are kept: those of a fleet with another key on the same group, who go on
 * sending. A name is not held against anybody: a stranger can send a packet under the name of a node that has just started.
 */
const STRANGER_KEYS = 256;

/** Opens the control messages of all other nodes. Messages that do not open take no lasting memory. */
export class ControlOpener {
  private readonly fleetKeys: OpeningKeys;
  /** By node id and epoch, in the order of their last use. */
  private readonly sessions = new Map<string, Session>();
  /** The keys of nodes of which nothing has opened yet, by the same names, the oldest first. */
  private readonly strangers = new Map<string, NodeKeys>();

  constructor(fleetKeys: OpeningKeys) {
    this.fleetKeys = fleetKeys;
  }

  /**
   * Opens a datagram. Every key of the fleet is tried on one that does not open.
   *
   * @param mayDerive asked before a key is derived, which costs far more than to open a message. Of a node of which something
   *   has opened, keys are derived without a question: there are as many as keys of the fleet, once.
   * @throws DecodeError for one without a whole header
   */
  open(datagram: Uint8Array, mayDerive: () => boolean = () => true): Opened {
    const header = decodeControlHeader(datagram);
    const name = `${header.nodeId}/${header.epoch}`;
    const session = this.sessions.get(name);
    const keys = session?.keys ?? this.strangers.get(name) ?? new Map<FleetKey, Buffer>();
    const mayDeriveOne = session === undefined ? mayDerive : () => true;
    for (const fleetKey of inOrder(this.fleetKeys.opening, session?.lastUsed)) {
      const key = keys.get(fleetKey) ?? this.newKey(name, header, fleetKey, keys, mayDeriveOne);
      if (key === undefined) return { kind: "unexamined" };
      const plaintext = openControl(key, header.counter, datagram);
      if (plaintext === undefined) continue;
      const opened = session ?? { keys, window: new ReplayWindow(), lastUsed: fleetKey };
      if (!opened.window.accept(header.counter)) return { kind: "replayed" };
      opened.lastUsed = fleetKey;
      this.keep(name, opened);
      return { kind: "opened", header, plaintext, fleetKey };
    }
    return { kind: "foreign", header };
  }

  /** Forgets what was derived from keys that open nothing any more. Messages that were received before stay known. */
  forgetOldKeys(): void {
    const { opening } = this.fleetKeys;
    const all = [...this.strangers.values(), ...[...this.sessions.values()].map(({ keys }) => keys)];
    for (const keys of all) for (const key of keys.keys()) if (!opening.includes(key)) keys.delete(key);
  }

  private newKey(
    name: string,
    header: ControlHeader,
    fleetKey: FleetKey,
    keys: NodeKeys,
    mayDerive: () => boolean,
  ): Buffer | undefined {
    if (!mayDerive()) return undefined;
    const key = fleetKey.controlKey(header.nodeId, header.epoch);
    keys.set(fleetKey, key);
    if (this.sessions.get(name)?.keys === keys) return key;
    this.strangers.set(name, keys);
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

/** The keys with the one in front that was used last. */
function inOrder(keys: readonly FleetKey[], lastUsed: FleetKey | undefined): readonly FleetKey[] {
  if (lastUsed === undefined || keys[0] === lastUsed || !keys.includes(lastUsed)) return keys;
  return [lastUsed, ...keys.filter((key) => key !== lastUsed)];
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
