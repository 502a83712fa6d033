/** UDP sockets with the options that Node does not set: large buffers, trains, sharing, membership. */
import fs from "node:fs";
import util from "node:util";
import { lastErrno, nativeFunction } from "./native.ts";

/**
 * UDP sockets made outside of Node, with the options that Node does not set. They are handed to node:dgram by their
 * descriptor, or read directly.
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
const SO_REUSEPORT = 15;
const SO_RCVBUFFORCE = 33;
const SOL_IP = 0;
const IP_ADD_MEMBERSHIP = 35;
const IP_DROP_MEMBERSHIP = 36;
const IP_MULTICAST_ALL = 49;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;
const SIOCGIFMTU = 0x8921;
const INTERFACE_NAME_BYTES = 16;

const BIND = "int bind(int, const void *, uint32_t)";
const CLOSE = "int close(int)";

/** A call on a socket failed; `errno` says why. */
export class SocketError extends Error {
  override name = "SocketError";
  readonly errno: number;
  /** The name of the error, such as ENODEV. */
  readonly code: string;

  constructor(call: string, errno: number) {
    super(`${call} failed with error ${errno}`);
    this.errno = errno;
    this.code = util.getSystemErrorName(-errno);
  }
}

export interface UdpSocketOptions {
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  /** Sends longer than this are cut into datagrams of this length by the kernel; undefined for a socket without trains. */
  readonly segmentBytes: number | undefined;
}

/**
 * Makes a socket that is not bound yet. It receives multicast only from the interfaces on which it is a member itself: the
 * default of Linux is the interfaces on which any process of the host is.
 *
 * @returns its descriptor, or undefined where this is not possible and node:dgram has to do
 * @throws SocketError if there is no descriptor left
 */
export function makeUdpSocket(options: UdpSocketOptions): number | undefined {
  const socket = nativeFunction("int socket(int, int, int)");
  if (socket === undefined || nativeFunction(BIND) === undefined || nativeFunction(CLOSE) === undefined)
    return undefined;
  const descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw new SocketError("socket", lastErrno());
  const { segmentBytes } = options;
  const canDoAll =
    setOption(descriptor, SOL_IP, IP_MULTICAST_ALL, 0) &&
    (segmentBytes === undefined || setOption(descriptor, SOL_UDP, UDP_SEGMENT, segmentBytes));
  if (!canDoAll) {
    closeSocket(descriptor);
    return undefined;
  }
  if (segmentBytes !== undefined) setOption(descriptor, SOL_UDP, UDP_GRO, 1);
  if (!setOption(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, options.receiveBufferBytes)) {
    setOption(descriptor, SOL_SOCKET, SO_RCVBUF, options.receiveBufferBytes);
  }
  setOption(descriptor, SOL_SOCKET, SO_SNDBUF, options.sendBufferBytes);
  return descriptor;
}

/**
 * Binds a socket. Its adoption by node:dgram has set SO_REUSEADDR: with that, any user can bind the same address and
 * take its packets. So it is taken back before the address is bound, and no moment is left between the two.
 *
 * @param isShared whether processes of the same user may bind the same address (SO_REUSEPORT)
 * @throws SocketError if the address cannot be bound; the socket stays open
 */
export function bindUdpSocket(descriptor: number, ip: string, port: number, isShared: boolean): void {
  if (!setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 0)) throw new SocketError("setsockopt", lastErrno());
  if (isShared && !setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1))
    throw new SocketError("setsockopt", lastErrno());
  if (nativeFunction(BIND)?.(descriptor, socketAddress(ip, port), 16) !== 0)
    throw new SocketError("bind", lastErrno());
}

/** An interface as memberships name it. */
export interface MulticastInterface {
  /** One of its addresses. */
  readonly ip: string;
  /**
   * Its number. With it, the kernel ends a membership on an interface that is gone, or that was made again under the same
   * address. Undefined if it is not known: the address alone has to tell then.
   */
  readonly index: number | undefined;
}

/**
 * Makes a socket a member of a group on an interface.
 *
 * @throws SocketError if the kernel refuses
 */
export function joinGroup(descriptor: number, group: string, where: MulticastInterface): void {
  if (!setOption(descriptor, SOL_IP, IP_ADD_MEMBERSHIP, membership(group, where)))
    throw new SocketError("setsockopt", lastErrno());
}

/** Ends a membership; nothing happens if there is none. */
export function leaveGroup(descriptor: number, group: string, where: MulticastInterface): void {
  setOption(descriptor, SOL_IP, IP_DROP_MEMBERSHIP, membership(group, where));
}

/**
 * The number that the kernel gives an interface; undefined if there is none of this name, or without the library.
 *
 * @param name with a label, such as eth0:1, or without
 */
export function interfaceIndex(name: string): number | undefined {
  const [device = name] = name.split(":");
  const index = nativeFunction("unsigned int if_nametoindex(const char *)")?.(device) ?? 0;
  return index > 0 ? index : undefined;
}

/**
 * The longest packet that an interface takes, with its IP header.
 *
 * @param name with a label, such as eth0:1, or without
 * @returns undefined if there is none of this name, or it cannot be told
 */
export function interfaceMtuBytes(name: string): number | undefined {
  const [device = name] = name.split(":");
  return askMtu(device) ?? readMtu(device);
}

function askMtu(device: string): number | undefined {
  const ioctl = nativeFunction("int ioctl(int, unsigned long, void *)");
  const socket = nativeFunction("int socket(int, int, int)");
  if (ioctl === undefined || socket === undefined || device.length >= INTERFACE_NAME_BYTES) return undefined;
  const descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return undefined;
  // A struct ifreq: the name, and then the answer.
  const request = Buffer.alloc(40);
  request.write(device, "latin1");
  const isAnswered = ioctl(descriptor, SIOCGIFMTU, request) === 0;
  closeSocket(descriptor);
  return isAnswered ? request.readInt32LE(INTERFACE_NAME_BYTES) : undefined;
}

/** Without the library: /sys may be that of another network namespace, but seldom is. */
function readMtu(device: string): number | undefined {
  try {
    return Number(fs.readFileSync(`/sys/class/net/${device}/mtu`, "latin1"));
  } catch {
    return undefined;
  }
}

/**
 * Sets the length that the kernel cuts longer sends into; 0 for none: then each send is one datagram.
 *
 * @returns whether the kernel has taken it
 */
export function cutSendsInto(descriptor: number, segmentBytes: number): boolean {
  return setOption(descriptor, SOL_UDP, UDP_SEGMENT, segmentBytes);
}

function closeSocket(descriptor: number): void {
  nativeFunction(CLOSE)?.(descriptor);
}

function setOption(descriptor: number, level: number, option: number, value: number | Buffer): boolean {
  const setsockopt = nativeFunction("int setsockopt(int, int, int, const void *, uint32_t)");
  const bytes = typeof value === "number" ? Buffer.alloc(4) : value;
  if (typeof value === "number") bytes.writeInt32LE(value);
  return setsockopt?.(descriptor, level, option, bytes, bytes.length) === 0;
}

/** A struct ip_mreqn. */
function membership(group: string, { ip, index }: MulticastInterface): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.set([...group.split("."), ...ip.split(".")].map(Number));
  bytes.writeInt32LE(index ?? 0, 8);
  return bytes;
}

/** A struct sockaddr_in. */
export function socketAddress(ip: string, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(ip.split(".").map(Number), 4);
  return bytes;
}
