/** A UDP socket by node:dgram alone, for systems without the calls that fast-socket.ts needs. */
import dgram from "node:dgram";
import { filterInterface, type InterfaceFilter } from "../sys/socket-filter.ts";
import { joinGroup, leaveGroup, type MulticastInterface } from "../sys/udp-socket.ts";
import type { DatagramHandler } from "./datagram-handler.ts";
import {
  bindDescriptor,
  bindError,
  type DatagramSocket,
  makeDescriptor,
  type SocketOptions,
} from "./datagram-socket.ts";

/** Multicast stays on the network of its sender (PROTOCOL.md 1). */
const TTL = 1;

/** A socket of node:dgram: each datagram takes a call by itself. */
export class PlainSocket implements DatagramSocket {
  readonly canSegment: boolean = false;
  private readonly socket: dgram.Socket;
  /** Undefined if node:dgram has made the socket. */
  private readonly descriptor: number | undefined;

  private constructor(socket: dgram.Socket, descriptor: number | undefined) {
    this.socket = socket;
    this.descriptor = descriptor;
  }

  /**
   * With the library, the socket has the options that Node cannot set; without, it is node:dgram's own.
   *
   * @throws UserError if the address cannot be bound
   */
  static async open(options: SocketOptions): Promise<PlainSocket> {
    const descriptor = makeDescriptor(options, false);
    if (descriptor !== undefined) return PlainSocket.adopt(options, descriptor);
    const { ip, port } = options;
    const socket = await bindSocket(options, { address: ip, port, exclusive: true });
    socket.setRecvBufferSize(options.receiveBufferBytes);
    socket.setSendBufferSize(options.sendBufferBytes);
    return new PlainSocket(socket, undefined);
  }

  /**
   * Takes over a socket by its descriptor, and binds it.
   *
   * @throws UserError if the address cannot be bound
   */
  static async adopt(options: SocketOptions, descriptor: number): Promise<PlainSocket> {
    const socket = await bindSocket({ ...options, isGroup: false }, { fd: descriptor });
    try {
      bindDescriptor(options, descriptor);
    } catch (error) {
      socket.close();
      throw error;
    }
    return new PlainSocket(socket, descriptor);
  }

  get receiveBufferBytes(): number {
    return this.socket.getRecvBufferSize();
  }

  get sendBufferBytes(): number {
    return this.socket.getSendBufferSize();
  }

  listen(handler: Pick<DatagramHandler, "takeDatagrams">, onError: (error: Error) => void): void {
    this.socket.on("message", (bytes, { address, port }) =>
      handler.takeDatagrams(bytes, 0, bytes.length, address, port),
    );
    this.socket.on("error", onError);
  }

  send(
    train: Uint8Array,
    datagramBytes: number,
    ip: string,
    port: number,
    done: (failures: number) => void,
  ): void {
    let pending = Math.ceil(train.length / datagramBytes);
    let failures = 0;
    const finish = (error: Error | null) => {
      if (error !== null) failures++;
      if (--pending === 0) done(failures);
    };
    for (let start = 0; start < train.length; start += datagramBytes) {
      const datagram = train.subarray(start, Math.min(start + datagramBytes, train.length));
      this.sendWhole(datagram, ip, port, finish);
    }
  }

  /** Hands bytes to the kernel in one call, and waits until it takes them. */
  sendWhole(bytes: Uint8Array, ip: string, port: number, done: (error: Error | null) => void): void {
    this.socket.send(bytes, port, ip, done);
  }

  join(group: string, where: MulticastInterface): void {
    if (this.descriptor === undefined) this.socket.addMembership(group, where.ip);
    else joinGroup(this.descriptor, group, where);
  }

  leave(group: string, where: MulticastInterface): void {
    if (this.descriptor === undefined) this.socket.dropMembership(group, where.ip);
    else leaveGroup(this.descriptor, group, where);
  }

  sendMulticastOver(interfaceIp: string): void {
    this.socket.setMulticastInterface(interfaceIp);
    this.socket.setMulticastTTL(TTL);
    this.socket.setMulticastLoopback(true);
  }

  receiveOver(device: InterfaceFilter): boolean {
    return this.descriptor !== undefined && filterInterface(this.descriptor, device);
  }

  close(): void {
    this.socket.close();
  }
}

/** A socket of node:dgram, bound by it or taken over. */
async function bindSocket(options: SocketOptions, where: dgram.BindOptions): Promise<dgram.Socket> {
  const socket = dgram.createSocket({
    type: "udp4",
    // Not reuseAddr: with that, sockets of other users can have the same address.
    reusePort: options.isGroup,
    // Only numeric addresses are used; node's own look-up would go over the thread pool.
    lookup: (host, _options, callback) => callback(null, host, 4),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(bindError(options, error.errno === undefined ? 0 : -error.errno));
    });
    socket.bind(where, resolve);
  });
  socket.removeAllListeners("error");
  return socket;
}
