/** Filters for datagrams that the kernel drops before it queues them at a socket. */
import { addressOf } from "./memory.ts";
import { nativeFunction } from "./native.ts";

// Numbers of the kernel's interface.
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

/** Instructions of the kernel's classic packet filter. */
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
/** Positions count from the UDP header; from this number on they count from the IP header. */
const IP_HEADER = 0xfff0_0000;
const IP_SOURCE = 12;
const UDP_SOURCE_PORT = 0;
const UDP_HEADER_BYTES = 8;
const WHOLE_PACKET = 0xffff_ffff;

/** The datagrams that a socket accepts. */
export interface SocketFilter {
  /** Datagrams from this node's own address are dropped: its multicasts are looped back to it. */
  readonly ip: string;
  readonly port: number;
  /** A byte of the datagram. One value of it is accepted, or all values except that one. */
  readonly position: number;
  readonly value: number;
  readonly isWanted: boolean;
}

/**
 * Makes the kernel drop datagrams before it queues them at a UDP socket. This replaces an earlier filter.
 *
 * @returns whether the filter is set
 */
export function filterSocket(descriptor: number, filter: SocketFilter): boolean {
  const { position, isWanted } = filter;
  const instructions = [
    [LOAD_WORD, 0, 0, IP_HEADER + IP_SOURCE],
    [JUMP_IF_EQUAL, 0, 2, Buffer.from(filter.ip.split(".").map(Number)).readUInt32BE()],
    [LOAD_HALF, 0, 0, UDP_SOURCE_PORT],
    [JUMP_IF_EQUAL, 3, 0, filter.port],
    [LOAD_BYTE, 0, 0, UDP_HEADER_BYTES + position],
    [JUMP_IF_EQUAL, isWanted ? 0 : 1, isWanted ? 1 : 0, filter.value],
    [RETURN, 0, 0, WHOLE_PACKET],
    [RETURN, 0, 0, 0],
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
  if (setsockopt === undefined || address === undefined) return false;
  // struct sock_fprog: the number of instructions, and their address.
  const description = Buffer.alloc(16);
  description.writeUInt16LE(instructions.length);
  description.writeBigUInt64LE(address, 8);
  return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, description, description.length) === 0;
}
