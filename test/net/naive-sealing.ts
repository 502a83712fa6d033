import { webcrypto } from "node:crypto";

/**
 * Sealing a second time, by WebCrypto and from the description alone, so that vectors come from two hands. Shares
 * nothing with src.
 */

/** What everybody knows where a fleet has no key. */
const NO_KEY = "makuosan without a key";

type Bytes = Uint8Array<ArrayBuffer>;

export function bytesOfDigits(digits: string): Bytes {
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

const digitsOf = (bytes: ArrayBuffer | Uint8Array) => Buffer.from(bytes as Uint8Array).toString("hex");

/** HKDF-SHA-256 of the fleet's secret with the epoch as salt. */
export async function deriveKey(secret: string | null, epoch: string, purpose: string): Promise<string> {
  const material =
    secret === null ? await webcrypto.subtle.digest("SHA-256", Buffer.from(NO_KEY)) : bytesOfDigits(secret);
  const key = await webcrypto.subtle.importKey("raw", material, "HKDF", false, ["deriveBits"]);
  const parameters = {
    name: "HKDF",
    hash: "SHA-256",
    salt: bytesOfDigits(epoch),
    info: Buffer.from(purpose),
  };
  return digitsOf(await webcrypto.subtle.deriveBits(parameters, key, 256));
}

/** AES-256-GCM with the tag behind what is sealed. */
async function seal(key: string, nonce: Bytes, associated: Bytes, plaintext: Bytes): Promise<Bytes> {
  const cipher = await webcrypto.subtle.importKey("raw", bytesOfDigits(key), "AES-GCM", false, ["encrypt"]);
  const parameters = { name: "AES-GCM", iv: nonce, additionalData: associated, tagLength: 128 };
  return new Uint8Array(await webcrypto.subtle.encrypt(parameters, cipher, plaintext));
}

export interface ControlParts {
  readonly nodeId: string;
  readonly epoch: string;
  readonly counter: string;
  readonly plaintext: string;
}

/** The whole datagram of a control message. */
export async function naiveControl(key: string, parts: ControlParts): Promise<string> {
  const plaintext = bytesOfDigits(parts.plaintext);
  const header = new Uint8Array(40);
  const view = new DataView(header.buffer);
  header.set([0x4d, 2, 1, 0]);
  view.setUint16(4, 40 + plaintext.length + 16, true);
  header.set(bytesOfDigits(parts.epoch), 8);
  header.set(bytesOfDigits(parts.nodeId), 16);
  view.setBigUint64(32, BigInt(parts.counter), true);
  const nonce = new Uint8Array(12);
  nonce.set(header.subarray(32, 40));
  return digitsOf(header) + digitsOf(await seal(key, nonce, header, plaintext));
}

export interface BlockParts {
  readonly transfer: number;
  readonly block: number;
  readonly kind: number;
  readonly plaintext: string;
}

export async function naiveBlock(key: string, parts: BlockParts): Promise<string> {
  const plaintext = bytesOfDigits(parts.plaintext);
  const associated = new DataView(new ArrayBuffer(11));
  associated.setUint32(0, parts.transfer, true);
  associated.setUint32(4, parts.block, true);
  associated.setUint16(8, plaintext.length + 16, true);
  associated.setUint8(10, parts.kind);
  const nonce = new DataView(new ArrayBuffer(12));
  nonce.setUint32(0, parts.block, true);
  return digitsOf(
    await seal(key, new Uint8Array(nonce.buffer), new Uint8Array(associated.buffer), plaintext),
  );
}
