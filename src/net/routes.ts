/** Reads the routing table of the kernel: the interfaces that packets to an address go over. */
import fs from "node:fs";
import { wordOfAddress, wordOfKernel } from "./address-words.ts";

/** A flag of the kernel: packets to this destination are refused. */
const REFUSED = 0x200;

/**
 * The names of the interfaces that the kernel routes packets to an address over, the best first: that of the longest
 * prefix, and among equals that of the lowest metric. A multicast group has a route like any other address, mostly the
 * default route.
 *
 * @returns nothing if there is no route, or the table cannot be read
 */
export function routedInterfaces(destination: string): string[] {
  const to = wordOfAddress(destination);
  const found = readTable()
    .map(parseRoute)
    .filter(({ network, mask }) => (to & mask) >>> 0 === network)
    .sort((a, b) => b.mask - a.mask || a.metric - b.metric);
  const refused = found.findIndex(({ flags }) => (flags & REFUSED) !== 0);
  return found.slice(0, refused < 0 ? undefined : refused).map(({ name }) => name);
}

interface Route {
  readonly name: string;
  readonly network: number;
  readonly mask: number;
  readonly metric: number;
  readonly flags: number;
}

function parseRoute(line: string): Route {
  const [name = "", network = "", , flags = "", , , metric = "", mask = ""] = line.split("\t");
  return {
    name,
    network: wordOfKernel(network),
    mask: wordOfKernel(mask),
    metric: Number(metric),
    flags: Number(`0x${flags}`),
  };
}

/** The lines of the table, without that of the titles. */
function readTable(): string[] {
  try {
    const lines = fs.readFileSync("/proc/net/route", "latin1").split("\n").slice(1);
    return lines.filter((line) => line.trim() !== "");
  } catch {
    return [];
  }
}
