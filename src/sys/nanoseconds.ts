/** Points in time as whole nanoseconds since 1970, and as the kernel has them: seconds, and nanoseconds from 0 on. */

export const SECOND_NS = 1_000_000_000n;

/** What is beyond the whole second, 0 to 999,999,999; of a time before 1970, too. */
export function beyondSecond(timeNs: bigint): bigint {
  const rest = timeNs % SECOND_NS;
  return rest < 0n ? rest + SECOND_NS : rest;
}
