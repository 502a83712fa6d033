/** One UDP socket, as the rest of the program sees it. */
import os from "node:os";
import { UserError } from "../base/user-error.ts";
import { bindUdpSocket, makeUdpSocket, type MulticastInterface, SocketError } from "../sys/udp-socket.ts";
import type { InterfaceFilter } from "../sys/socket-filter.ts";
import { DATAGRAM_BYTES } from "../wire/limits.ts";
import type { DatagramHandler } from "./datagram-handler.ts";

/**
 * One UDP socket. It has two forms: fast-socket.ts with the calls that Node lacks, and plain-socket.ts with node:dgram
 * alone. Both do the same, at different speeds.
 */
export interface DatagramSocket {
  /** Bytes that the kernel granted for what arrives, in its own count. */
  readonly receiveBufferBytes: number;
  /** Bytes that the kernel granted for what is to be sent, in its own count. */
  readonly sendBufferBytes: number;
  /** Whether trains go out in one send. */
  readonly canSegment: boolean;

  /** From now on what arrives is handed over; what came before is lost, as on any network. */
  listen(handler: DatagramHandler, onError: (error: Error) => void): void;

  /**
   * Sends datagrams that lie side by side, all but the last of one length.
   *
   * @param datagramBytes that length; a shorter train is one datagram
   * @param done called once when the kernel has taken them and their memory may change; with the number of sends that
   *   failed, whose datagrams count as lost on the way
   */
  send(
    train: Uint8Array,
    datagramBytes: number,
    ip: string,
    port: number,
    done: (failures: number) => void,
  ): void;

  /** Joins the group on an interface. Throws the error of the kernel. */
  join(group: string, where: MulticastInterface): void;
  /** Leaves the group there. May throw the error of the kernel if it was no member. */
  leave(group: string, where: MulticastInterface): void;
  /** Sends multicast over the interface that has this address. Throws the error of the kernel. */
  sendMulticastOver(interfaceIp: string): void;
  /** Drops what comes in over another interface; false if the library or the kernel lacks the calls. */
  receiveOver(device: InterfaceFilter): boolean;
  close(): void;
}

/** The address and the buffers of a socket. */
export interface SocketOptions {
  readonly ip: string;
  readonly port: number;
  /**
   * Processes of the same user may bind the same address; for group sockets. A group address may be shared because each
   * socket gets a copy. Other users cannot bind it: they would read what a fleet without a key sends.
   */
  readonly isGroup: boolean;
  readonly sendBufferBytes: number;
  readonly receiveBufferBytes: number;
}

/**
 * Makes a socket with the calls that Node lacks. It is bound by bindDescriptor().
 *
 * @param hasTrains whether it sends and receives trains
 * @returns its descriptor; undefined if the library or the kernel lacks the calls
 */
export function makeDescriptor(options: SocketOptions, hasTrains: boolean): number | undefined {
  return makeUdpSocket({ ...options, segmentBytes: hasTrains ? DATAGRAM_BYTES : undefined });
}

/**
 * Binds a socket of makeDescriptor(); after its adoption by node:dgram, which lets other users bind the same address.
 *
 * @throws UserError if the address cannot be bound
 */
export function bindDescriptor(options: SocketOptions, descriptor: number): void {
  try {
    bindUdpSocket(descriptor, options.ip, options.port, options.isGroup);
  } catch (error) {
    throw error instanceof SocketError ? bindError(options, error.errno) : error;
  }
}

/** The sentence for an address that cannot be bound. */
export function bindError({ ip, port }: SocketOptions, errno: number): UserError {
  const { EADDRINUSE, EADDRNOTAVAIL, EACCES } = os.constants.errno;
  const where = `port ${port} of ${ip}`;
  if (errno === EADDRINUSE) {
    return new UserError(`${where} is in use by another program: stop it, or choose another port with -p`);
  }
  if (errno === EADDRNOTAVAIL)
    return new UserError(`${ip} is not an address of this host: choose another with -i`);
  if (errno === EACCES) return new UserError(`${where} needs root: choose a port above 1023 with -p`);
  return new UserError(`${where} cannot be bound: error ${errno}`);
}
