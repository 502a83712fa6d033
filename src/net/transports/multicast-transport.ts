/** The transport by UDP multicast: its sockets, and what goes over which. */
import { UserError } from "../../base/user-error.ts";
import { interfaceIndex, interfaceMtuBytes, type MulticastInterface } from "../../sys/udp-socket.ts";
import type { DatagramHandler } from "../datagram-handler.ts";
import type { DatagramSocket, SocketOptions } from "../datagram-socket.ts";
import { FastSocket } from "../fast-socket.ts";
import { membershipsOf } from "../group-memberships.ts";
import { deviceOf, interfaceOf, isLoopback, networksBeside } from "../interfaces.ts";
import { fullBufferDrops } from "../kernel-drops.ts";
import type { PagePool } from "../page-pool.ts";
import { PlainSocket } from "../plain-socket.ts";
import { SourceGate, type SourceRules } from "../source-gate.ts";
import { TrainPoll } from "../train-poll.ts";
import { TrainReader } from "../train-reader.ts";
import { TrainSocket } from "../train-socket.ts";
import { DATAGRAM_BYTES, LEAST_DATAGRAM_BYTES } from "../../wire/limits.ts";
import type { Transport } from "./transport.ts";

/** The headers of IP and UDP, which belong to a packet. */
const IP_AND_UDP_BYTES = 20 + 8;

/**
 * A send that has failed counts as lost on the way, and takes as long as this. Without it, a sender whose sends all fail at
 * once would repeat them as fast as the processor can. A full train in this time is 50 Mbit/s, so it costs little.
 */
const FAILED_SEND_MS = 10;

/** Which sockets a multicast transport opens, and how large. */
export interface MulticastOptions {
  /** The address of the multicast group. */
  readonly group: string;
  readonly port: number;
  /** The node's own address, on the interface that multicast goes over. */
  readonly interfaceIp: string;
  /** Asked of the kernel, which may grant less. */
  readonly sendBufferBytes: number;
  readonly receiveBufferBytes: number;
  /** Whether the calls that Node lacks may be used. */
  readonly offload: boolean;
  /** The memory that payloads are read into. */
  readonly pages: PagePool;
}

/**
 * Two UDP sockets (PROTOCOL.md 1). The group socket is bound to the address of the group and receives what is sent to all.
 * The own socket is bound to the address of the interface; it sends everything, and receives what is sent to this node
 * alone. If the system allows it, a third socket receives the fragments of the group.
 */
export class MulticastTransport implements Transport {
  private options: MulticastOptions;
  private readonly reader: TrainReader | undefined;
  private readonly groupSocket: DatagramSocket;
  private ownSocket: DatagramSocket;
  /** Receives the fragments of the group; undefined if the group socket receives them too. */
  private trains: TrainSocket | undefined;
  private rules: SourceRules;
  /** Where the sockets are members of the group. */
  private joined: MulticastInterface | undefined;
  private poll: TrainPoll | undefined;
  private isClosed = false;
  private pendingSends = 0;
  private onDrained: () => void = () => undefined;
  private handler: SourceGate | undefined;
  private onError: (error: Error) => void = () => undefined;
  sendErrors = 0;
  /** What the host had dropped before this transport was opened. */
  private readonly formerDrops = fullBufferDrops();

  private constructor(
    options: MulticastOptions,
    reader: TrainReader | undefined,
    group: DatagramSocket,
    own: DatagramSocket,
  ) {
    this.options = options;
    this.reader = reader;
    this.groupSocket = group;
    this.ownSocket = own;
    const { interfaceIp: ip, port } = options;
    this.rules = { ip, port, network: { ip, netmask: "255.255.255.255" }, others: [] };
  }

  /**
   * Opens both sockets and joins the group.
   *
   * @throws UserError if the address or the group cannot be used
   */
  static async open(options: MulticastOptions): Promise<MulticastTransport> {
    const reader = options.offload ? TrainReader.create(options.pages) : undefined;
    const own = await openSocket(ownOptions(options), reader);
    let group: DatagramSocket;
    try {
      group = await openSocket(groupOptions(options), reader);
    } catch (error) {
      own.close();
      throw error;
    }
    const transport = new MulticastTransport(options, reader, group, own);
    try {
      transport.join();
    } catch (error) {
      transport.close();
      throw error;
    }
    return transport;
  }

  listen(handler: DatagramHandler, onError: (error: Error) => void): void {
    const gate = new SourceGate(handler, this.rules);
    this.handler = gate;
    this.onError = onError;
    this.ownSocket.listen(gate, onError);
    this.groupSocket.listen(gate, onError);
  }

  /** Leaves the group where it was joined and joins it on this address. A new address gets a new own socket. */
  async rejoin(interfaceIp: string): Promise<void> {
    const former = this.options;
    const options = { ...former, interfaceIp };
    if (interfaceIp !== former.interfaceIp) {
      const own = await openSocket(ownOptions(options), this.reader);
      this.ownSocket.close();
      this.ownSocket = own;
      this.options = options;
      if (this.handler !== undefined) own.listen(this.handler, this.onError);
    }
    this.leave();
    this.join();
  }

  get isJoined(): boolean {
    const { group, interfaceIp } = this.options;
    const device = interfaceOf(interfaceIp);
    const found = device === undefined ? undefined : membershipsOf(deviceOf(device.name), group);
    if (this.joined === undefined || found === undefined) return this.joined !== undefined;
    return found.hasGroup && found.index === (this.joined.index ?? found.index);
  }

  get group(): Transport["group"] {
    return { ip: this.options.group, port: this.options.port };
  }

  get ownAddress(): Transport["ownAddress"] {
    return { ip: this.options.interfaceIp, port: this.options.port };
  }

  get datagramBytes(): number {
    const device = interfaceOf(this.options.interfaceIp);
    const packetBytes = device === undefined ? undefined : interfaceMtuBytes(device.name);
    const longest = (packetBytes ?? Infinity) - IP_AND_UDP_BYTES;
    return Math.min(DATAGRAM_BYTES, Math.max(LEAST_DATAGRAM_BYTES, longest));
  }

  get isOffloaded(): boolean {
    return this.ownSocket.canSegment;
  }

  get outsideMessages(): number {
    return this.handler?.dropped ?? 0;
  }

  get receiveBufferBytes(): number {
    return this.groupSocket.receiveBufferBytes;
  }

  get sendBufferBytes(): number {
    return this.ownSocket.sendBufferBytes;
  }

  get droppedDatagrams(): number {
    return Math.max(0, fullBufferDrops() - this.formerDrops);
  }

  sendToGroup(datagram: Uint8Array): void {
    this.sendTrainToGroup(datagram, DATAGRAM_BYTES, () => undefined);
  }

  sendToNode(datagram: Uint8Array, ip: string, port: number): void {
    this.send(datagram, DATAGRAM_BYTES, ip, port, () => undefined);
  }

  sendTrainToGroup(train: Uint8Array, datagramBytes: number, done: () => void): void {
    this.send(train, datagramBytes, this.options.group, this.options.port, done);
  }

  /** Starts or ends the regular reading of the socket for fragments. */
  expectTrains(isExpecting: boolean): void {
    const { handler, trains } = this;
    if (isExpecting && this.poll === undefined && trains !== undefined && handler !== undefined) {
      this.poll = new TrainPoll(() => trains.read(handler), this.receiveBufferBytes);
    } else if (!isExpecting) {
      this.poll?.stop();
      this.poll = undefined;
    }
  }

  readTrains(): void {
    if (this.handler !== undefined) this.trains?.read(this.handler);
  }

  close(): void {
    this.expectTrains(false);
    this.trains?.close();
    this.trains = undefined;
    this.isClosed = true;
    this.groupSocket.close();
    this.ownSocket.close();
  }

  async drain(): Promise<void> {
    if (this.pendingSends > 0) await new Promise<void>((resolve) => (this.onDrained = resolve));
  }

  private join(): void {
    const { group, interfaceIp } = this.options;
    const where = membershipInterface(interfaceIp, group);
    try {
      this.groupSocket.join(group, where);
      this.joined = where;
      this.ownSocket.sendMulticastOver(membershipIp(interfaceIp));
      this.separateTrains(where);
    } catch (error) {
      if (error instanceof UserError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      throw new UserError(
        `the multicast group ${group} cannot be joined on ${interfaceIp} (${code}): ` +
          "check that the interface is up and supports multicast",
      );
    }
    this.rules = this.isolate();
    if (this.handler !== undefined) this.handler.rules = this.rules;
  }

  /** Ends the membership where it was begun, although the interface may be another one by now. */
  private leave(): void {
    const { group } = this.options;
    const where = this.joined;
    if (where === undefined) return;
    this.joined = undefined;
    try {
      this.groupSocket.leave(group, where);
    } catch {
      // If the former interface is gone, the kernel has ended the membership already.
    }
    this.trains?.leave(group, where);
  }

  /**
   * Gives the fragments of the group a socket for themselves. Its filter, and that of the group socket, also drop what this
   * node has sent: multicast is looped back, so that several nodes can run on one host.
   */
  private separateTrains(where: MulticastInterface): void {
    if (!(this.groupSocket instanceof FastSocket)) return;
    const { group, interfaceIp, port, pages } = this.options;
    this.trains ??= TrainSocket.open(groupOptions(this.options), pages);
    if (this.trains?.filter(interfaceIp, port) !== true) return;
    this.trains.join(group, where);
    this.groupSocket.leaveOutFragments(interfaceIp, port);
  }

  /**
   * Keeps out what comes in over other interfaces. Multicast stays out because the sockets are members on this interface
   * alone. For all else the kernel looks at the interface. Without the library, the source address has to tell.
   */
  private isolate(): SourceRules {
    const { interfaceIp: ip, port } = this.options;
    const device = interfaceOf(ip);
    const network = device ?? { ip, netmask: "255.255.255.255" };
    const index = device === undefined ? undefined : interfaceIndex(device.name);
    const isIsolated = index !== undefined && this.ownSocket.receiveOver({ ...network, index });
    const others = isIsolated || device === undefined ? [] : networksBeside(device.name);
    return { ip, port, network, others };
  }

  private send(train: Uint8Array, datagramBytes: number, ip: string, port: number, done: () => void): void {
    if (this.isClosed) return;
    this.pendingSends++;
    const finish = () => {
      if (--this.pendingSends === 0) this.onDrained();
      done();
    };
    this.ownSocket.send(train, datagramBytes, ip, port, (failures) => {
      this.sendErrors += failures;
      if (failures === 0) finish();
      else setTimeout(finish, FAILED_SEND_MS);
    });
  }
}

function groupOptions({ group, port, sendBufferBytes, receiveBufferBytes }: MulticastOptions): SocketOptions {
  return { ip: group, port, isGroup: true, sendBufferBytes, receiveBufferBytes };
}

function ownOptions(options: MulticastOptions): SocketOptions {
  return { ...groupOptions(options), ip: options.interfaceIp, isGroup: false };
}

/** Opens the fast form of a socket if there is a reader for it and the system allows it, and the plain form otherwise. */
async function openSocket(socket: SocketOptions, reader: TrainReader | undefined): Promise<DatagramSocket> {
  const fast = reader === undefined ? undefined : await FastSocket.open(socket, reader);
  return fast ?? PlainSocket.open(socket);
}

/** An interface as the kernel wants it named for a membership. */
function membershipInterface(interfaceIp: string, group: string): MulticastInterface {
  const device = interfaceOf(interfaceIp);
  const index = device === undefined ? undefined : membershipsOf(deviceOf(device.name), group)?.index;
  return { ip: membershipIp(interfaceIp), index };
}

/** The address that names an interface to the kernel: of the loopback network it knows 127.0.0.1 alone. */
function membershipIp(interfaceIp: string): string {
  return isLoopback(interfaceIp) ? "127.0.0.1" : interfaceIp;
}
