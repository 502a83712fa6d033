/** Arguments as the kernel has them, byte for byte. */
import fs from "node:fs";

/**
 * The arguments of this process as byte strings. Node turns bytes that are not UTF-8 into question marks; the
 * kernel still has them as they were.
 *
 * @param count how many arguments there are behind the command's name
 */
export function rawArguments(count: number): string[] {
  const all = fs.readFileSync("/proc/self/cmdline", "latin1").split("\0").slice(0, -1);
  return count === 0 ? [] : all.slice(-count);
}
