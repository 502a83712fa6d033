/** A UDP socket with the calls that Node lacks: trains, many messages a call. */
import { DatagramWriter } from "../sys/datagram-writer.ts";
import { filterSocket } from "../sys/socket-filter.ts";
import { DATAGRAM_BYTES } from "../wire/limits.ts";
import type { DatagramHandler } from "./datagram-handler.ts";
import { type DatagramSocket, openDescriptor, type SocketOptions } from "./datagram-socket.ts";
import { NO_FRAGMENTS } from "./filters.ts";
import { PlainSocket } from "./plain-socket.ts";
import type { TrainReader } from "./train-reader.ts";

/**
 * A socket that sends a train of datagrams in one call, which the kernel cuts (UDP_SEGMENT), and gets trains in one
 * piece (UDP_GRO), many of them a call (recvmmsg). node:dgram watches it: it hands over the first message of each bunch,
 * and waits where the socket's buffer is full.
 */
export class FastSocket implements DatagramSocket {
  private readonly plain: PlainSocket;
  private readonly descriptor: number;
  private readonly reader: TrainReader;
  private readonly writer: DatagramWriter;
  private isSegmenting = true;
  private isClosed = false;
  /** Sends that wait in node:dgram; as long as there are some, all others go behind them. */
  private waiting = 0;

  private constructor(plain: PlainSocket, descriptor: number, reader: TrainReader, writer: DatagramWriter) {
    this.plain = plain;
    this.descriptor = descriptor;
    this.reader = reader;
    this.writer = writer;
  }

  /**
   * @param reader reads for all sockets: what it has read is taken in before it reads again
   * @returns undefined where the library or the kernel cannot do that
   * @throws UserError where the address cannot be bound
   */
  static async open(options: SocketOptions, reader: TrainReader): Promise<FastSocket | undefined> {
    const descriptor = openDescriptor(options);
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
      // Where a bunch begins, there is mostly more.
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

  /** Lets in no fragments, which have a socket of their own, and nothing of this node's own. */
  leaveOutFragments(ownIp: string, port: number): void {
    filterSocket(this.descriptor, { ...NO_FRAGMENTS, ip: ownIp, port });
  }

  join(group: string, interfaceIp: string): void {
    this.plain.join(group, interfaceIp);
  }

  leave(group: string, interfaceIp: string): void {
    this.plain.leave(group, interfaceIp);
  }

  sendMulticastOver(interfaceIp: string): void {
    this.plain.sendMulticastOver(interfaceIp);
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

  /** A device that cannot cut trains says so at the first one; from then on they are cut here. */
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
