/** Seals and opens blocks in place (PROTOCOL.md 7). */
import { BLOCK_ASSOCIATED_BYTES, writeBlockAssociatedData } from "../wire/datagram.ts";
import { TAG_BYTES } from "../wire/limits.ts";
import { NONCE_BYTES, usualCipher } from "./in-place-cipher.ts";

/** Used for every block, so that no memory is made for each. */
const nonce = Buffer.alloc(NONCE_BYTES);
const associated = Buffer.alloc(BLOCK_ASSOCIATED_BYTES);

/**
 * Seals a block in place.
 *
 * @param sealed the plaintext, with room for the tag behind it
 */
export function sealBlock(
  key: Uint8Array,
  transfer: number,
  block: number,
  kind: number,
  sealed: Uint8Array,
  cipher = usualCipher(),
): void {
  prepare(transfer, block, kind, sealed.length);
  const [body, tag] = split(sealed);
  cipher.seal(key, nonce, associated, body, tag);
}

/**
 * Opens a block in place.
 *
 * @returns the plaintext, in the memory of the block; undefined if the block is not the one that its sender has sealed
 */
export function openBlock(
  key: Uint8Array,
  transfer: number,
  block: number,
  kind: number,
  sealed: Uint8Array,
  cipher = usualCipher(),
): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  prepare(transfer, block, kind, sealed.length);
  const [body, tag] = split(sealed);
  return cipher.open(key, nonce, associated, body, tag) ? body : undefined;
}

function split(sealed: Uint8Array): [body: Uint8Array, tag: Uint8Array] {
  const end = sealed.length - TAG_BYTES;
  return [sealed.subarray(0, end), sealed.subarray(end)];
}

/** The nonce of a block, and what its seal covers besides its bytes. */
function prepare(transfer: number, block: number, kind: number, sealedBytes: number): void {
  nonce.writeUInt32LE(block);
  writeBlockAssociatedData(associated, transfer, block, sealedBytes, kind);
}
