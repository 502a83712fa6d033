/** IPv4 addresses as numbers of 32 bits. */
import os from "node:os";

/** An address such as 10.0.0.1 as a number, whose highest byte is its first. */
export function wordOfAddress(ip: string): number {
  return ip.split(".").reduce((word, byte) => (word << 8) | Number(byte), 0) >>> 0;
}

/** An address as the kernel writes it in the files of /proc/net: hexadecimal, with the bytes in the order of the machine. */
export function wordOfKernel(text: string): number {
  const bytes = text.match(/../g) ?? [];
  const ordered = os.endianness() === "LE" ? bytes.reverse() : bytes;
  return Number(`0x${ordered.join("")}`) >>> 0;
}

/** The mask of a network whose prefix has this many bits. */
export function maskOfPrefix(bits: number): number {
  return bits === 0 ? 0 : (~0 << (32 - bits)) >>> 0;
}
