import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeRun,
  encodeFragmentHeader,
  FRAGMENT_HEADER_BYTES,
  FRAGMENT_PAYLOAD_BYTES,
  FragmentHeader,
} from "../../src/wire/datagram.ts";
import { DATAGRAM_BYTES } from "../../src/wire/limits.ts";

/** The place of the stamp in a header: the one field that does not show whether fragments belong together. */
const STAMP = { start: 24, end: 28 };
// A block of several fragments, of which the last one is shorter; any such numbers would do.
const LAST_PAYLOAD_BYTES = 100;
const BLOCK_FRAGMENTS = 9;
const SEALED_BYTES = (BLOCK_FRAGMENTS - 1) * FRAGMENT_PAYLOAD_BYTES + LAST_PAYLOAD_BYTES;

/** The headers of fragments of one block, and the bytes of all their datagrams. */
function run(first: number, count: number): { headers: Uint8Array; sizeBytes: number } {
  const headers = new Uint8Array(count * FRAGMENT_HEADER_BYTES);
  let sizeBytes = 0;
  for (let at = 0; at < count; at++) {
    const index = first + at;
    const payloadBytes = index === BLOCK_FRAGMENTS - 1 ? LAST_PAYLOAD_BYTES : FRAGMENT_PAYLOAD_BYTES;
    const fields = { epochHigh: 1, epochLow: 2, transfer: 3, block: 4, stamp: 500 + at, kind: 2 };
    const header = { ...fields, sealedBytes: SEALED_BYTES, index, payloadBytes };
    encodeFragmentHeader(headers, at * FRAGMENT_HEADER_BYTES, Object.assign(new FragmentHeader(), header));
    sizeBytes += FRAGMENT_HEADER_BYTES + payloadBytes;
  }
  return { headers, sizeBytes };
}

const isRun = ({ headers, sizeBytes }: ReturnType<typeof run>) =>
  decodeRun(headers, 0, sizeBytes, new FragmentHeader());

test("fragments one behind the other in their block are a run, wherever it begins", () => {
  for (const [first, count] of [
    [0, BLOCK_FRAGMENTS],
    [0, 1],
    [3, 4],
    [5, 4],
    [BLOCK_FRAGMENTS - 1, 1],
  ] as const) {
    const { headers, sizeBytes } = run(first, count);
    const last = new FragmentHeader();
    assert.ok(decodeRun(headers, 0, sizeBytes, last), `${count} from ${first}`);
    assert.deepEqual([last.index, last.block, last.stamp], [first + count - 1, 4, 500 + count - 1]);
  }
});

test("a single bit in any header makes it none, but for those of the stamps", () => {
  const { headers, sizeBytes } = run(2, 5);
  for (let bit = 0; bit < headers.length * 8; bit++) {
    const position = (bit >> 3) % FRAGMENT_HEADER_BYTES;
    const isStamp = position >= STAMP.start && position < STAMP.end;
    headers[bit >> 3] = headers[bit >> 3]! ^ (1 << (bit & 7));
    assert.equal(isRun({ headers, sizeBytes }), isStamp, `bit ${bit & 7} of byte ${bit >> 3}`);
    headers[bit >> 3] = headers[bit >> 3]! ^ (1 << (bit & 7));
  }
});

test("a run has the size that its headers say", () => {
  const { headers, sizeBytes } = run(2, 5);
  for (const size of [1, sizeBytes - 1, sizeBytes + 1, sizeBytes - DATAGRAM_BYTES + FRAGMENT_HEADER_BYTES]) {
    assert.equal(isRun({ headers, sizeBytes: size }), false, `${size} bytes`);
  }
});

test("datagrams of another type are no run, even if each of them could be one", () => {
  for (const count of [1, 3]) {
    const { headers, sizeBytes } = run(0, count);
    for (const type of [0, 1, 3]) {
      for (let at = 2; at < headers.length; at += FRAGMENT_HEADER_BYTES) headers[at] = type;
      assert.equal(isRun({ headers, sizeBytes }), false, `${count} of type ${type}`);
    }
  }
});

test("parity fragments are in no run, also not behind the last fragment of a block", () => {
  const last = FRAGMENT_PAYLOAD_BYTES * 44;
  const headers = new Uint8Array(2 * FRAGMENT_HEADER_BYTES);
  for (const [at, index] of [
    [0, 43],
    [1, 44],
  ] as const) {
    const fields = { epochHigh: 1, epochLow: 2, transfer: 3, block: 4, stamp: at, kind: 2 };
    const header = { ...fields, sealedBytes: last, index, payloadBytes: FRAGMENT_PAYLOAD_BYTES };
    encodeFragmentHeader(headers, at * FRAGMENT_HEADER_BYTES, Object.assign(new FragmentHeader(), header));
  }
  assert.equal(
    isRun({ headers: headers.subarray(0, FRAGMENT_HEADER_BYTES), sizeBytes: DATAGRAM_BYTES }),
    true,
  );
  assert.equal(isRun({ headers: headers.subarray(FRAGMENT_HEADER_BYTES), sizeBytes: DATAGRAM_BYTES }), false);
  assert.equal(isRun({ headers, sizeBytes: 2 * DATAGRAM_BYTES }), false);
});
