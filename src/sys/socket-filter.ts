import { addressOf } from "./memory.ts";
import { nativeFunction } from "./native.ts";

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

/** Instructions of the kernel's classic packet filter. */
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
/** Positions count from the UDP header; behind this they count from the IP header. */
const IP_HEADER = 0xfff0_0000;
const IP_SOURCE = 12;
const UDP_SOURCE_PORT = 0;
const WHOLE_PACKET = 0xffff_ffff;

/**
 * Lets a UDP socket drop what comes from one address before it is queued: what this node multicasts is looped back to it.
 * Replaces the filter that was there. Without the library nothing is dropped, and the caller passes over it.
 */
export function ignoreSource(descriptor: number, ip: string, port: number): void {
  const instructions = [
    [LOAD_WORD, 0, 0, IP_HEADER + IP_SOURCE],
    [JUMP_IF_EQUAL, 0, 3, Buffer.from(ip.split(".").map(Number)).readUInt32BE()],
    [LOAD_HALF, 0, 0, UDP_SOURCE_PORT],
    [JUMP_IF_EQUAL, 0, 1, port],
    [RETURN, 0, 0, 0],
    [RETURN, 0, 0, WHOLE_PACKET],
  ] as const;
  const program = Buffer.from(new SharedArrayBuffer(instructions.length * 8));
  instructions.forEach(([code, jumpIf, jumpElse, value], index) => {
    program.writeUInt16LE(code, index * 8);
    program.writeUInt8(jumpIf, index * 8 + 2);
    program.writeUInt8(jumpElse, index * 8 + 3);
    program.writeUInt32LE(value, index * 8 + 4);
  });
  const setsockopt = nativeFunction("int setsockopt(int, int, int, const void *, uint32_t)");
  const address = addressOf(program);
  if (setsockopt === undefined || address === undefined) return;
  // struct sock_fprog: how many instructions, and where they lie.
  const description = Buffer.alloc(16);
  description.writeUInt16LE(instructions.length);
  description.writeBigUInt64LE(address, 8);
  setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, description, description.length);
}
