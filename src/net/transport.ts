import dgram from "node:dgram";
import os from "node:os";
import { UserError } from "../base/user-error.ts";
import { openUdpSocket, SocketError, type UdpSocketOptions } from "../sys/udp-socket.ts";
import { DATAGRAM_BYTES } from "../wire/limits.ts";

/**
 * The two sockets of a node (PROTOCOL.md 1): one bound to the group's address for what is sent to all, one bound
 * to the interface's own address for sending and for what is sent to this node alone.
 *
 * Where the kernel and the FFI library allow it, a train of datagrams goes out in one send, which the kernel cuts
 * (UDP_SEGMENT), and arrives in one piece (UDP_GRO). Otherwise each datagram takes a call of its own; nobody
 * above notices but for the speed.
 */

export interface TransportOptions {
  readonly group: string;
  readonly port: number;
  readonly interfaceIp: string;
  readonly sendBufferBytes: number;
  readonly receiveBufferBytes: number;
  readonly offload: boolean;
}

/** Called with what has arrived: one datagram, or several of equal length but the last, in one piece. */
export type DatagramHandler = (bytes: Buffer, ip: string, port: number) => void;

const TTL = 1;

export class Transport {
  private options: TransportOptions;
  private readonly group: dgram.Socket;
  private own: dgram.Socket;
  /** Trains go out in one send. */
  private canSegment: boolean;
  private isClosed = false;
  private pendingSends = 0;
  private onDrained: () => void = () => undefined;
  private onDatagrams: DatagramHandler = () => undefined;
  private onError: (error: Error) => void = () => undefined;
  /** Sends that failed since the start; what they carried counts as lost on the way. */
  sendErrors = 0;

  private constructor(
    options: TransportOptions,
    group: dgram.Socket,
    own: dgram.Socket,
    canSegment: boolean,
  ) {
    this.options = options;
    this.group = group;
    this.own = own;
    this.canSegment = canSegment;
  }

  /**
   * Opens both sockets and joins the group.
   *
   * @throws UserError where the address or the group cannot be had
   */
  static async open(options: TransportOptions): Promise<Transport> {
    const own = await openSocket(options, options.interfaceIp, false);
    let group: { socket: dgram.Socket; isNative: boolean };
    try {
      group = await openSocket(options, options.group, true);
    } catch (error) {
      own.socket.close();
      throw error;
    }
    const transport = new Transport(options, group.socket, own.socket, own.isNative);
    try {
      transport.join();
    } catch (error) {
      transport.close();
      throw error;
    }
    return transport;
  }

  /** From now on what arrives is handed over; what came before is lost, as on any network. */
  listen(onDatagrams: DatagramHandler, onError: (error: Error) => void): void {
    this.onDatagrams = onDatagrams;
    this.onError = onError;
    for (const socket of [this.own, this.group]) this.listenOn(socket);
  }

  /**
   * The interface has another address, or was away: joins the group there, and sends from there.
   *
   * @throws UserError where the address or the group cannot be had
   */
  async moveTo(interfaceIp: string): Promise<void> {
    const former = this.options;
    const options = { ...former, interfaceIp };
    if (interfaceIp !== former.interfaceIp) {
      const own = await openSocket(options, interfaceIp, false);
      this.own.close();
      this.own = own.socket;
      this.canSegment = own.isNative;
      this.options = options;
      this.listenOn(own.socket);
    }
    try {
      this.group.dropMembership(former.group, membershipIp(former.interfaceIp));
    } catch {
      // The interface that it was on may be gone, and the membership with it.
    }
    this.join();
  }

  /** Whether trains go out in one send. */
  get isOffloaded(): boolean {
    return this.canSegment;
  }

  /** Bytes that the kernel granted for what arrives, in its own count. */
  get receiveBufferBytes(): number {
    return this.group.getRecvBufferSize();
  }

  /** Sends one datagram to the group. */
  multicast(datagram: Uint8Array): void {
    this.send(datagram, this.options.port, this.options.group, () => undefined);
  }

  /** Sends one datagram to one node. */
  unicast(datagram: Uint8Array, ip: string, port: number): void {
    this.send(datagram, port, ip, () => undefined);
  }

  /**
   * Sends datagrams to the group that lie one behind the other, all but the last of the full length.
   *
   * @param done called once when the socket has taken them, and their memory may change
   */
  multicastTrain(train: Uint8Array, done: () => void): void {
    if (this.canSegment || train.length <= DATAGRAM_BYTES) {
      this.send(train, this.options.port, this.options.group, (error) => {
        if (isSegmentingError(error) && train.length > DATAGRAM_BYTES) this.giveUpSegmenting(train, done);
        else done();
      });
      return;
    }
    for (let start = 0; start < train.length; start += DATAGRAM_BYTES) {
      const datagram = train.subarray(start, Math.min(start + DATAGRAM_BYTES, train.length));
      const isLast = start + DATAGRAM_BYTES >= train.length;
      this.send(datagram, this.options.port, this.options.group, isLast ? done : () => undefined);
    }
  }

  close(): void {
    this.isClosed = true;
    this.group.close();
    this.own.close();
  }

  /** Waits until the kernel has taken everything that was to be sent. */
  async drain(): Promise<void> {
    if (this.pendingSends > 0) await new Promise<void>((resolve) => (this.onDrained = resolve));
  }

  private listenOn(socket: dgram.Socket): void {
    socket.on("message", (bytes, source) => this.onDatagrams(bytes, source.address, source.port));
    socket.on("error", (error) => this.onError(error));
  }

  private join(): void {
    const { group, interfaceIp } = this.options;
    try {
      this.group.addMembership(group, membershipIp(interfaceIp));
      this.own.setMulticastInterface(membershipIp(interfaceIp));
      this.own.setMulticastTTL(TTL);
      this.own.setMulticastLoopback(true);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new UserError(
        `the multicast group ${group} cannot be joined on ${interfaceIp} (${code}): ` +
          "check that the interface is up and supports multicast",
      );
    }
  }

  private send(bytes: Uint8Array, port: number, ip: string, done: (error: Error | null) => void): void {
    if (this.isClosed) return;
    this.pendingSends++;
    this.own.send(bytes, port, ip, (error) => {
      if (--this.pendingSends === 0) this.onDrained();
      if (error !== null) this.sendErrors++;
      done(error);
    });
  }

  /** A device that cannot cut trains says so at the first one; from then on they are cut here. */
  private giveUpSegmenting(train: Uint8Array, done: () => void): void {
    this.canSegment = false;
    this.multicastTrain(train, done);
  }
}

/** Errors by which a device or a kernel says that it cannot cut trains; any other is a matter of the moment. */
function isSegmentingError(error: Error | null): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code !== undefined && ["EIO", "EINVAL", "EMSGSIZE", "EOPNOTSUPP"].includes(code);
}

/** On the loopback network only 127.0.0.1 is an address of the interface; it stands for it. */
function membershipIp(interfaceIp: string): string {
  return interfaceIp.startsWith("127.") ? "127.0.0.1" : interfaceIp;
}

async function openSocket(options: TransportOptions, ip: string, isGroup: boolean) {
  const descriptor = options.offload ? openNative(options, ip, isGroup) : undefined;
  const socket = dgram.createSocket({
    type: "udp4",
    reuseAddr: isGroup,
    // Only numeric addresses are used; node's own look-up would go over the thread pool.
    lookup: (host, _options, callback) => callback(null, host, 4),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(bindError(options, ip, error.errno === undefined ? 0 : -error.errno));
    });
    if (descriptor !== undefined) socket.bind({ fd: descriptor }, resolve);
    else socket.bind({ address: ip, port: options.port, exclusive: true }, resolve);
  });
  socket.removeAllListeners("error");
  if (descriptor === undefined) {
    setBuffers(socket, options);
  }
  return { socket, isNative: descriptor !== undefined };
}

function openNative(options: TransportOptions, ip: string, isGroup: boolean): number | undefined {
  const native: UdpSocketOptions = {
    ip,
    port: options.port,
    reuseAddress: isGroup,
    receiveBufferBytes: options.receiveBufferBytes,
    sendBufferBytes: options.sendBufferBytes,
    segmentBytes: isGroup ? 0 : DATAGRAM_BYTES,
    mergeReceived: true,
  };
  try {
    return openUdpSocket(native);
  } catch (error) {
    if (error instanceof SocketError) throw bindError(options, ip, error.errno);
    throw error;
  }
}

function setBuffers(socket: dgram.Socket, options: TransportOptions): void {
  socket.setRecvBufferSize(options.receiveBufferBytes);
  socket.setSendBufferSize(options.sendBufferBytes);
}

function bindError(options: TransportOptions, ip: string, errno: number): UserError {
  const { EADDRINUSE, EADDRNOTAVAIL, EACCES } = os.constants.errno;
  const where = `port ${options.port} of ${ip}`;
  if (errno === EADDRINUSE) {
    return new UserError(`${where} is in use by another program: stop it, or choose another port with -p`);
  }
  if (errno === EADDRNOTAVAIL)
    return new UserError(`${ip} is not an address of this host: choose another with -i`);
  if (errno === EACCES) return new UserError(`${where} needs root: choose a port above 1023 with -p`);
  return new UserError(`${where} cannot be bound: error ${errno}`);
}
