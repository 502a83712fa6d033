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

/** A train that is to be sent. */
interface Send {
  readonly train: Uint8Array;
  /** The length of all of its datagrams but the last. */
  readonly datagramBytes: number;
  readonly ip: string;
  readonly port: number;
  readonly done: (failures: number) => void;
}

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
  /** Trains of datagrams of this length or more cannot be cut by the kernel. */
  private uncuttableBytes = Infinity;
  /** The length that the kernel cuts sends into now; 0 if it cuts nothing. */
  private cutBytes = DATAGRAM_BYTES;
  private isClosed = false;
  /** Sends that wait in node:dgram. While there are some, new ones wait after them. */
  private waiting = 0;
  /** Sends that need another option of the socket than those that wait. */
  private readonly held: Send[] = [];

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

  get sendBufferBytes(): number {
    return this.plain.sendBufferBytes;
  }

  get canSegment(): boolean {
    return this.uncuttableBytes === Infinity;
  }

  listen(handler: DatagramHandler, onError: (error: Error) => void): void {
    const takeDatagrams: DatagramHandler["takeDatagrams"] = (...first) => {
      handler.takeDatagrams(...first);
      // After the first message of a bunch there are mostly more.
      if (!this.isClosed) this.reader.read(this.descriptor, handler);
    };
    this.plain.listen({ takeDatagrams }, onError);
  }

  send(
    train: Uint8Array,
    datagramBytes: number,
    ip: string,
    port: number,
    done: (failures: number) => void,
  ): void {
    const send: Send = { train, datagramBytes, ip, port, done };
    if (this.held.length > 0) this.held.push(send);
    else this.sendNow(send);
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

  /** Sends, after the option of the socket was set as this send needs it: the sends that wait need it as it is. */
  private sendNow(send: Send): void {
    const wanted = this.optionFor(send);
    if (wanted !== this.cutBytes) {
      if (this.waiting > 0) {
        this.held.push(send);
        return;
      }
      if (this.writer.cutInto(wanted)) this.cutBytes = wanted;
    }
    const { train, datagramBytes, ip, port, done } = send;
    if (wanted === 0 && train.length > datagramBytes) {
      this.waiting++;
      this.plain.send(train, datagramBytes, ip, port, (failures) => this.taken(() => done(failures)));
      return;
    }
    const outcome = this.waiting > 0 ? "busy" : this.writer.send(train, ip, port);
    if (outcome === "busy") this.sendLater(send);
    else if (outcome === "sent") done(0);
    else this.sendFailed(outcome.errno, send);
  }

  /** The length that the kernel has to cut sends into for this one: 0 if it is to cut nothing. */
  private optionFor({ train, datagramBytes }: Send): number {
    if (train.length > datagramBytes) return datagramBytes < this.uncuttableBytes ? datagramBytes : 0;
    // A single datagram goes out whole if it is not longer than the option, and that is not longer than packets can be.
    return this.cutBytes >= train.length && this.cutBytes < this.uncuttableBytes ? this.cutBytes : 0;
  }

  /** The buffer is full: node:dgram tells when there is room again. */
  private sendLater(send: Send): void {
    this.waiting++;
    this.plain.sendWhole(send.train, send.ip, send.port, (error) =>
      this.taken(() => {
        if (error === null) send.done(0);
        else this.sendFailed(-((error as NodeJS.ErrnoException).errno ?? 0), send);
      }),
    );
  }

  /** A send that waited is over. When it was the last one, those that were held for it go on. */
  private taken(tell: () => void): void {
    this.waiting--;
    tell();
    if (this.waiting > 0) return;
    for (const send of this.held.splice(0))
      this.send(send.train, send.datagramBytes, send.ip, send.port, send.done);
  }

  /**
   * If a device cannot cut trains, or its packets are shorter than the datagrams, a send fails with one of a few errors.
   * From then on trains of this length are cut here, and the kernel is told to cut nothing: with that option, it refuses
   * single datagrams as well. Each send is tried once more at most, because the second time the option is off.
   */
  private sendFailed(errno: number, send: Send): void {
    if (this.cutBytes === 0 || !DatagramWriter.isSegmentingError(errno)) {
      send.done(1);
      return;
    }
    this.uncuttableBytes = Math.min(this.uncuttableBytes, this.cutBytes);
    this.sendNow(send);
  }
}
