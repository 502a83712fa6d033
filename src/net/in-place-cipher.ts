/** AES-256-GCM in place: by OpenSSL directly, or by node:crypto. */
import crypto from "node:crypto";
import { hasNativeGcm, openInPlace, sealInPlace } from "../sys/aes-gcm.ts";
import { TAG_BYTES } from "../wire/limits.ts";

/** Nonces are 12 bytes (PROTOCOL.md 7). */
export const NONCE_BYTES = 12;

/** AES-256-GCM over bytes in place. */
export interface InPlaceCipher {
  seal(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, bytes: Uint8Array, tag: Uint8Array): void;
  /** False if the bytes are not those that were sealed; their contents are undefined then. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    bytes: Uint8Array,
    tag: Uint8Array,
  ): boolean;
}

/** By node:crypto, for systems without the FFI library. */
export const nodeCipher: InPlaceCipher = {
  seal(key, nonce, associated, bytes, tag) {
    const cipher = crypto.createCipheriv("aes-256-gcm", key, nonce).setAAD(associated);
    bytes.set(cipher.update(bytes));
    cipher.final();
    tag.set(cipher.getAuthTag());
  },
  open(key, nonce, associated, bytes, tag) {
    // Without this length, node:crypto accepts shorter tags, which are easier to guess.
    const decipher = crypto.createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associated).setAuthTag(tag);
    const plaintext = decipher.update(bytes);
    try {
      decipher.final();
    } catch {
      return false;
    }
    bytes.set(plaintext);
    return true;
  },
};

/** By the OpenSSL inside Node, which makes no new memory for the result. */
export const nativeCipher: InPlaceCipher = { seal: sealInPlace, open: openInPlace };

/** The faster one of those that work on this system. */
export function usualCipher(): InPlaceCipher {
  return hasNativeGcm() ? nativeCipher : nodeCipher;
}
