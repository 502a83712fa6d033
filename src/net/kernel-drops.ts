/** Reads how many datagrams the kernel dropped because the buffer of a socket was full. */
import fs from "node:fs";

/**
 * The datagrams that were dropped because a receive buffer was full, of all UDP sockets of this host, since it started. The
 * kernel also counts for each socket by itself (/proc/net/udp), but that number has what the filters of our sockets leave out.
 *
 * @returns 0 if the kernel does not tell
 */
export function fullBufferDrops(): number {
  // Two lines begin with "Udp:", the names and then the numbers.
  const [names = [], numbers = []] = readTable()
    .filter((line) => line.startsWith("Udp:"))
    .map((line) => line.trim().split(/\s+/));
  return Number(numbers[names.indexOf("RcvbufErrors")] ?? 0) || 0;
}

function readTable(): string[] {
  try {
    return fs.readFileSync("/proc/net/snmp", "latin1").split("\n");
  } catch {
    return [];
  }
}
