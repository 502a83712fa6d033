/** Reads which multicast groups the kernel is a member of on an interface. */
import fs from "node:fs";
import { wordOfAddress, wordOfKernel } from "./address-words.ts";

/** What the kernel says of the multicast of one interface. */
export interface InterfaceMemberships {
  /** The number that the kernel gave the interface when it was made. One that is made again gets another. */
  readonly index: number;
  /** Whether some socket of this host is a member of the group on this interface. */
  readonly hasGroup: boolean;
}

/**
 * Looks a group up in the memberships of an interface.
 *
 * @param device the name of the interface without a label
 * @returns undefined if the kernel does not tell: it has no such interface, or the table cannot be read
 */
export function membershipsOf(device: string, group: string): InterfaceMemberships | undefined {
  const wanted = wordOfAddress(group);
  let index: number | undefined;
  let hasGroup = false;
  for (const line of readTable()) {
    // A line of an interface begins with its number; the lines of its groups follow it, after two tabs.
    const header = /^(\d+)\t(\S+)/.exec(line);
    if (header !== null) {
      if (index !== undefined) break;
      if (header[2]?.replace(/:$/, "") === device) index = Number(header[1]);
    } else if (index !== undefined && wordOfKernel(line.trim().split(/\s+/)[0] ?? "") === wanted)
      hasGroup = true;
  }
  return index === undefined ? undefined : { index, hasGroup };
}

function readTable(): string[] {
  try {
    return fs.readFileSync("/proc/net/igmp", "latin1").split("\n").slice(1);
  } catch {
    return [];
  }
}
