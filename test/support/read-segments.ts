/** All segments of a data block at once. */
import { unpack } from "../../src/tree/entries/compression.ts";
import { type Segment, segmentsOf } from "../../src/wire/data-block.ts";

/**
 * Reads a data block. The bytes of its segments are its own: what was unpacked is valid until the next frame.
 *
 * @throws DecodeError
 */
export function readSegments(plaintext: Uint8Array): Segment[] {
  return [...segmentsOf(plaintext, (frame, mostBytes) => unpack(frame, mostBytes).slice())];
}
