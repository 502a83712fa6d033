/** The log of publications as it is sent to others, and its digest. */
import { ByteReader } from "../../base/bytes.ts";
import { decodePublication, encodePublication, type Publication } from "../../wire/publication.ts";

/** The bytes of each publication, made once: a log is sent and counted again whenever it has changed. */
const bytesOf = new WeakMap<Publication, Uint8Array>();

export function encoded(publication: Publication): Uint8Array {
  const bytes = bytesOf.get(publication) ?? encodePublication(publication);
  bytesOf.set(publication, bytes);
  return bytes;
}

/**
 * Reads a log as it is sent.
 *
 * @throws DecodeError
 */
export function decodePublications(bytes: Uint8Array): Publication[] {
  const reader = new ByteReader(bytes);
  const publications: Publication[] = [];
  while (reader.remaining > 0) publications.push(decodePublication(reader));
  return publications;
}

/** Two 32-bit hashes. Logs that differ must not be taken for the same; nobody gains by making them so. */
export function digestOf(bytes: Uint8Array): string {
  let [low, high] = [0x811c9dc5, 0x9747b28c];
  for (const byte of bytes) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x5bd1e995);
    high ^= high >>> 15;
  }
  const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
  return hex(low) + hex(high);
}
