/** Times as whole nanoseconds since 1970, and in the kernel's form: seconds, and nanoseconds from 0 on. */

export const SECOND_NS = 1_000_000_000n;

/** The part after the whole second, 0 to 999,999,999, also for a time before 1970. */
export function beyondSecond(timeNs: bigint): bigint {
  const rest = timeNs % SECOND_NS;
  return rest < 0n ? rest + SECOND_NS : rest;
}
