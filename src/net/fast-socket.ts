/** A UDP socket with the calls that Node lacks: trains, many messages a call. */
import { DatagramWriter } from "../sys/datagram-writer.ts";
import { filterSocket, type InterfaceFilter } from "../sys/socket-filter.ts";
import type { MulticastInterface } from "../sys/udp-socket.ts";
import { DATAGRAM_BYTES } from "../wire/limits.ts";
import type { DatagramHandler } from "./datagram-handler.ts";
import { type DatagramSocket, makeDescriptor, type SocketOptions } from "./datagram-socket.ts";
import { NO_FRAGMENTS } from "./filters.ts";
import { PlainSocket } from "./plain-socket.ts";
import type { TrainReader } from "./train-reader.ts";

/**
 * A socket that sends a train in one call, which the kernel cuts into datagrams (UDP_SEGMENT). It receives trains in one
 * piece (UDP_GRO), and many of them in one call (recvmmsg). node:dgram watches the socket: it hands over the first message
 * of each bunch, and waits while the send buffer is full.
 */
export class FastSocket implements DatagramSocket {
  private readonly plain: PlainSocket;
  private readonly descriptor: number;
  private readonly reader: TrainReader;
  private readonly writer: DatagramWriter;
  private isSegmenting = true;
  private isClosed = false;
  /** Sends that wait in node:dgram. While there are some, new ones wait after them. */
  private waiting = 0;

  private constructor(plain: PlainSocket, descriptor: number, reader: TrainReader, writer: DatagramWriter) {
    this.plain = plain;
    this.descriptor = descriptor;
    this.reader = reader;
    this.writer = writer;
  }

  /**
   * @param reader shared by all sockets, because each message is taken in before the next call
   * @returns undefined if the library or the kernel lacks the calls
   * @throws UserError if the address cannot be bound
   */
  static async open(options: SocketOptions, reader: TrainReader): Promise<FastSocket | undefined> {
    const descriptor = makeDescriptor(options, true);
    const writer = descriptor === undefined ? undefined : DatagramWriter.create(descriptor);
    if (descriptor === undefined || writer === undefined) return undefined;
    return new FastSocket(await PlainSocket.adopt(options, descriptor), descriptor, reader, writer);
  }

  get receiveBufferBytes(): number {
    return this.plain.receiveBufferBytes;
  }

  get canSegment(): boolean {
    return this.isSegmenting;
  }

  listen(handler: DatagramHandler, onError: (error: Error) => void): void {
    const takeDatagrams: DatagramHandler["takeDatagrams"] = (...first) => {
      handler.takeDatagrams(...first);
      // After the first message of a bunch there are mostly more.
      if (!this.isClosed) this.reader.read(this.descriptor, handler);
    };
    this.plain.listen({ takeDatagrams }, onError);
  }

  send(train: Uint8Array, ip: string, port: number, done: (failures: number) => void): void {
    if (!this.isSegmenting) {
      this.plain.send(train, ip, port, done);
      return;
    }
    const outcome = this.waiting > 0 ? "busy" : this.writer.send(train, ip, port);
    if (outcome === "busy") this.sendLater(train, ip, port, done);
    else if (outcome === "sent") done(0);
    else this.sendFailed(outcome.errno, train, ip, port, done);
  }

  /** Drops fragments, for which there is another socket, and everything that this node has sent. */
  leaveOutFragments(ownIp: string, port: number): void {
    filterSocket(this.descriptor, { ...NO_FRAGMENTS, ip: ownIp, port });
  }

  join(group: string, where: MulticastInterface): void {
    this.plain.join(group, where);
  }

  leave(group: string, where: MulticastInterface): void {
    this.plain.leave(group, where);
  }

  sendMulticastOver(interfaceIp: string): void {
    this.plain.sendMulticastOver(interfaceIp);
  }

  receiveOver(device: InterfaceFilter): boolean {
    return this.plain.receiveOver(device);
  }

  close(): void {
    this.isClosed = true;
    this.plain.close();
  }

  /** The buffer is full: node:dgram tells when there is room again. */
  private sendLater(train: Uint8Array, ip: string, port: number, done: (failures: number) => void): void {
    this.waiting++;
    this.plain.sendWhole(train, ip, port, (error) => {
      this.waiting--;
      if (error === null) done(0);
      else this.sendFailed(-((error as NodeJS.ErrnoException).errno ?? 0), train, ip, port, done);
    });
  }

  /** If a device cannot cut trains, the first send fails with one of a few errors. From then on trains are cut here. */
  private sendFailed(
    errno: number,
    train: Uint8Array,
    ip: string,
    port: number,
    done: (failures: number) => void,
  ): void {
    if (train.length <= DATAGRAM_BYTES || !DatagramWriter.isSegmentingError(errno)) {
      done(1);
      return;
    }
    this.isSegmenting = false;
    this.plain.send(train, ip, port, done);
  }
}
