/** The sockets of a node: which there are, and what goes over which. */
import { UserError } from "../base/user-error.ts";
import type { DatagramHandler, DatagramSocket, SocketOptions } from "./datagram-socket.ts";
import { FastSocket } from "./fast-socket.ts";
import type { PagePool } from "./page-pool.ts";
import { PlainSocket } from "./plain-socket.ts";
import { TrainPoll } from "./train-poll.ts";
import { TrainReader } from "./train-reader.ts";
import { TrainSocket } from "./train-socket.ts";

/**
 * The two sockets of a node (PROTOCOL.md 1): one bound to the group's address for what is sent to all, one bound
 * to the interface's own address for sending and for what is sent to this node alone. Where the system allows it, the
 * fragments of the group come by a third one.
 */

export interface TransportOptions {
  readonly group: string;
  readonly port: number;
  readonly interfaceIp: string;
  readonly sendBufferBytes: number;
  readonly receiveBufferBytes: number;
  /** Whether the calls that Node lacks may be used. */
  readonly offload: boolean;
  /** Where payloads are read into. */
  readonly pages: PagePool;
}

export class Transport {
  private options: TransportOptions;
  private readonly reader: TrainReader | undefined;
  private readonly group: DatagramSocket;
  private own: DatagramSocket;
  /** Where the fragments of the group arrive, if not with all the rest. */
  private trains: TrainSocket | undefined;
  private poll: TrainPoll | undefined;
  private isClosed = false;
  private pendingSends = 0;
  private onDrained: () => void = () => undefined;
  private handler: DatagramHandler | undefined;
  private onError: (error: Error) => void = () => undefined;
  /** Sends that failed since the start; what they carried counts as lost on the way. */
  sendErrors = 0;

  private constructor(
    options: TransportOptions,
    reader: TrainReader | undefined,
    group: DatagramSocket,
    own: DatagramSocket,
  ) {
    this.options = options;
    this.reader = reader;
    this.group = group;
    this.own = own;
  }

  /**
   * Opens both sockets and joins the group.
   *
   * @throws UserError where the address or the group cannot be had
   */
  static async open(options: TransportOptions): Promise<Transport> {
    const reader = options.offload ? TrainReader.create(options.pages) : undefined;
    const own = await openSocket(ownOptions(options), reader);
    let group: DatagramSocket;
    try {
      group = await openSocket(groupOptions(options), reader);
    } catch (error) {
      own.close();
      throw error;
    }
    const transport = new Transport(options, reader, group, own);
    try {
      transport.join();
    } catch (error) {
      transport.close();
      throw error;
    }
    return transport;
  }

  /** From now on what arrives is handed over; what came before is lost, as on any network. */
  listen(handler: DatagramHandler, onError: (error: Error) => void): void {
    this.handler = handler;
    this.onError = onError;
    this.own.listen(handler, onError);
    this.group.listen(handler, onError);
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
      const own = await openSocket(ownOptions(options), this.reader);
      this.own.close();
      this.own = own;
      this.options = options;
      if (this.handler !== undefined) own.listen(this.handler, this.onError);
    }
    try {
      this.group.leave(former.group, membershipIp(former.interfaceIp));
    } catch {
      // The interface that it was on may be gone, and the membership with it.
    }
    this.join();
  }

  /** Whether trains go out in one send. */
  get isOffloaded(): boolean {
    return this.own.canSegment;
  }

  /** Bytes that the kernel granted for what arrives, in its own count. */
  get receiveBufferBytes(): number {
    return this.group.receiveBufferBytes;
  }

  /** Sends one datagram to the group. */
  multicast(datagram: Uint8Array): void {
    this.multicastTrain(datagram, () => undefined);
  }

  /** Sends one datagram to one node. */
  unicast(datagram: Uint8Array, ip: string, port: number): void {
    this.send(datagram, ip, port, () => undefined);
  }

  /**
   * Sends datagrams to the group that lie one behind the other, all but the last of the full length.
   *
   * @param done called once when the kernel has taken them, and their memory may change
   */
  multicastTrain(train: Uint8Array, done: () => void): void {
    this.send(train, this.options.group, this.options.port, done);
  }

  /** Says whether transfers are under way to this node: then what arrives for them is read all the time. */
  expectTrains(isExpecting: boolean): void {
    const { handler, trains } = this;
    if (isExpecting && this.poll === undefined && trains !== undefined && handler !== undefined) {
      this.poll = new TrainPoll(() => trains.read(handler), this.receiveBufferBytes);
    } else if (!isExpecting) {
      this.poll?.stop();
      this.poll = undefined;
    }
  }

  /**
   * Hands over the trains that have arrived by now. What a sender says of its blocks is taken in behind the blocks that it
   * sent before.
   */
  readTrains(): void {
    if (this.handler !== undefined) this.trains?.read(this.handler);
  }

  close(): void {
    this.expectTrains(false);
    this.trains?.close();
    this.trains = undefined;
    this.isClosed = true;
    this.group.close();
    this.own.close();
  }

  /** Waits until the kernel has taken everything that was to be sent. */
  async drain(): Promise<void> {
    if (this.pendingSends > 0) await new Promise<void>((resolve) => (this.onDrained = resolve));
  }

  private join(): void {
    const { group, interfaceIp } = this.options;
    try {
      this.group.join(group, membershipIp(interfaceIp));
      this.own.sendMulticastOver(membershipIp(interfaceIp));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new UserError(
        `the multicast group ${group} cannot be joined on ${interfaceIp} (${code}): ` +
          "check that the interface is up and supports multicast",
      );
    }
    this.separateTrains();
  }

  /** Multicast is looped back, so that several nodes can run on one host; the filters also drop a node's own. */
  private separateTrains(): void {
    if (!(this.group instanceof FastSocket)) return;
    const { interfaceIp, port, pages } = this.options;
    this.trains ??= TrainSocket.open(groupOptions(this.options), pages);
    if (this.trains?.filter(interfaceIp, port) === true) this.group.leaveOutFragments(interfaceIp, port);
  }

  private send(train: Uint8Array, ip: string, port: number, done: () => void): void {
    if (this.isClosed) return;
    this.pendingSends++;
    this.own.send(train, ip, port, (failures) => {
      if (--this.pendingSends === 0) this.onDrained();
      this.sendErrors += failures;
      done();
    });
  }
}

function groupOptions({ group, port, sendBufferBytes, receiveBufferBytes }: TransportOptions): SocketOptions {
  return { ip: group, port, isGroup: true, sendBufferBytes, receiveBufferBytes };
}

function ownOptions(options: TransportOptions): SocketOptions {
  return { ...groupOptions(options), ip: options.interfaceIp, isGroup: false };
}

/** The fast form of a socket where it is wanted and possible, and the plain one otherwise. */
async function openSocket(socket: SocketOptions, reader: TrainReader | undefined): Promise<DatagramSocket> {
  const fast = reader === undefined ? undefined : await FastSocket.open(socket, reader);
  return fast ?? PlainSocket.open(socket);
}

/** On the loopback network only 127.0.0.1 is an address of the interface; it stands for it. */
function membershipIp(interfaceIp: string): string {
  return interfaceIp.startsWith("127.") ? "127.0.0.1" : interfaceIp;
}
