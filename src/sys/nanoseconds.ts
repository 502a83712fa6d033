/** Times as whole nanoseconds since 1970, and in the kernel's form: seconds, and nanoseconds from 0 on. */

export const SECOND_NS = 1_000_000_000n;

/** The part after the whole second, 0 to 999,999,999, also for a time before 1970. */
export function beyondSecond(timeNs: bigint): bigint {
  const rest = timeNs % SECOND_NS;
  return rest < 0n ? rest + SECOND_NS : rest;
}

const halves = new Int32Array(2);
const whole = new BigInt64Array(halves.buffer);
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Seconds that surely fit into 64 bits of nanoseconds, on both sides of 1970. */
const SAFE_SECONDS = 9_000_000_000;

/**
 * The time of so many seconds, in two halves of 64 bits, and nanoseconds beyond them. Trees have millions of entries: for all times
 * of this age, it makes a single BigInt.
 */
export function nanosecondsOf(low: number, high: number, beyond: number): bigint {
  const seconds = high * 2 ** 32 + (low >>> 0);
  if (!IS_LITTLE_ENDIAN || seconds < -SAFE_SECONDS || seconds > SAFE_SECONDS)
    return ((BigInt(high) << 32n) | BigInt(low >>> 0)) * SECOND_NS + BigInt(beyond);
  // In parts that numbers hold exactly: the upper one counts in 65,536 nanoseconds.
  const upperSeconds = Math.floor(seconds / 65_536);
  const upper = upperSeconds * 1_000_000_000;
  const upperRest = upper - Math.floor(upper / 65_536) * 65_536;
  const lower = upperRest * 65_536 + (seconds - upperSeconds * 65_536) * 1_000_000_000 + beyond;
  halves[0] = (lower % 2 ** 32) | 0;
  halves[1] = Math.floor(upper / 65_536) + Math.floor(lower / 2 ** 32);
  return whole[0] as bigint;
}
