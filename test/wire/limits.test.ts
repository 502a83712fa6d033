import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import {
  BLOCK_PLAINTEXT_BYTES,
  CONTROL_PLAINTEXT_BYTES,
  FRAGMENT_PAYLOAD_BYTES,
  SEALED_BLOCK_BYTES,
} from "../../src/wire/datagram.ts";
import * as limits from "../../src/wire/limits.ts";

/** PROTOCOL.md is what a second implementation goes by: its numbers are those of the program. */

const PROTOCOL = readFileSync(path.join(import.meta.dirname, "../../PROTOCOL.md"), "utf8");

/** The value of a cell: a text as it is, a number without its commas, powers of two worked out. */
function valueOf(cell: string): string | number {
  if (cell === "2³² − 1") return 0xffff_ffff;
  return /^[\d,]+$/.test(cell) ? Number(cell.replaceAll(",", "")) : cell;
}

test("every limit of the program stands in the protocol's table with its value, and no other", () => {
  const rows = [...PROTOCOL.matchAll(/^\| [^|]+ \| ([^|]+) \| `([A-Z_]+)` \|$/gm)];
  const named = rows.map(([, value, name]) => [name, valueOf(value ?? "")] as const);
  assert.ok(named.length > 20, "the table is found");
  assert.deepEqual(Object.fromEntries(named), { ...limits });
});

test("the sizes that follow from the limits are those of the protocol", () => {
  const sizes: Readonly<Record<string, number>> = {
    "plaintext of a control message": CONTROL_PLAINTEXT_BYTES,
    "payload of a fragment": FRAGMENT_PAYLOAD_BYTES,
    "sealed block": SEALED_BLOCK_BYTES,
    "plaintext of a block": BLOCK_PLAINTEXT_BYTES,
    "train of a whole block": limits.DATAGRAM_BYTES * limits.BLOCK_FRAGMENTS,
  };
  const rows = [...PROTOCOL.matchAll(/^\| ([a-z ]+) \| ([\d,]+) bytes \|$/gm)];
  const named = rows.map(([, name, value]) => [name, valueOf(value ?? "")] as const);
  assert.deepEqual(Object.fromEntries(named), sizes);
});
