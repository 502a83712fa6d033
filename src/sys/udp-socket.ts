/** Bound UDP sockets with large buffers, UDP_SEGMENT and UDP_GRO. */
import { lastErrno, nativeFunction } from "./native.ts";

/**
 * UDP sockets made and bound outside of Node, with options that Node does not set. node:dgram receives them by their
 * descriptor.
 */

// Numbers of the kernel's interface.
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;

/** bind() failed for a socket; `errno` says why. */
export class SocketError extends Error {
  override name = "SocketError";
  readonly errno: number;

  constructor(call: string, errno: number) {
    super(`${call} failed with error ${errno}`);
    this.errno = errno;
  }
}

export interface UdpSocketOptions {
  readonly ip: string;
  readonly port: number;
  /** Several processes may bind the same address; for group sockets. */
  readonly reuseAddress: boolean;
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  /** The kernel splits longer sends into datagrams of this length. */
  readonly segmentBytes: number;
}

/**
 * Makes a bound socket that splits its sends, and receives datagrams of equal length in one piece.
 *
 * @returns its descriptor, or undefined if this is not possible and node:dgram has to be used
 * @throws SocketError if the address cannot be bound
 */
export function openUdpSocket(options: UdpSocketOptions): number | undefined {
  const socket = nativeFunction("int socket(int, int, int)");
  const bind = nativeFunction("int bind(int, const void *, uint32_t)");
  const close = nativeFunction("int close(int)");
  if (socket === undefined || bind === undefined || close === undefined) return undefined;
  const descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw new SocketError("socket", lastErrno());
  if (options.reuseAddress) setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  if (!setOption(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, options.receiveBufferBytes)) {
    setOption(descriptor, SOL_SOCKET, SO_RCVBUF, options.receiveBufferBytes);
  }
  setOption(descriptor, SOL_SOCKET, SO_SNDBUF, options.sendBufferBytes);
  if (!setOption(descriptor, SOL_UDP, UDP_SEGMENT, options.segmentBytes)) {
    close(descriptor);
    return undefined;
  }
  setOption(descriptor, SOL_UDP, UDP_GRO, 1);
  if (bind(descriptor, socketAddress(options.ip, options.port), 16) !== 0) {
    const errno = lastErrno();
    close(descriptor);
    throw new SocketError("bind", errno);
  }
  return descriptor;
}

function setOption(descriptor: number, level: number, option: number, value: number): boolean {
  const setsockopt = nativeFunction("int setsockopt(int, int, int, const void *, uint32_t)");
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return setsockopt?.(descriptor, level, option, bytes, 4) === 0;
}

/** A struct sockaddr_in. */
export function socketAddress(ip: string, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(ip.split(".").map(Number), 4);
  return bytes;
}
