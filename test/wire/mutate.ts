import { below, randomBytes, type Random } from "../../src/base/random.ts";
import { pick } from "./random-values.ts";

/** Values that often break decoders. */
const TELLING_BYTES = [0, 1, 2, 3, 0x7f, 0x80, 0xfe, 0xff] as const;

/** A copy of some bytes with a few errors, and sometimes with none. */
export function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  // Not slice(): that of a Buffer is a view of the same memory.
  let mutant: Uint8Array = new Uint8Array(bytes);
  for (let faults = 1 + below(random, 3); faults > 0; faults--) mutant = mutateOnce(random, mutant);
  return mutant;
}

function mutateOnce(random: Random, bytes: Uint8Array): Uint8Array {
  const at = below(random, Math.max(1, bytes.length));
  switch (below(random, 7)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return joined(bytes, randomBytes(random, 1 + below(random, 20)));
    case 2:
      return joined(bytes.slice(0, at), bytes.slice(Math.min(bytes.length, at + 1 + below(random, 8))));
    case 3:
      return joined(bytes.slice(0, at), randomBytes(random, 1 + below(random, 8)), bytes.slice(at));
    case 4:
      return withByte(bytes, at, pick(random, TELLING_BYTES));
    case 5:
      return withByte(bytes, Math.min(at, below(random, 8)), random.u32() & 0xff);
    default:
      return withByte(bytes, at, (bytes[at] ?? 0) ^ (1 << below(random, 8)));
  }
}

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  if (at < bytes.length) bytes[at] = value;
  return bytes;
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
