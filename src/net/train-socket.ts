/** The socket that receives the fragments of the group, and nothing else. */
import fs from "node:fs";
import { filterSocket } from "../sys/socket-filter.ts";
import { joinGroup, leaveGroup, type MulticastInterface } from "../sys/udp-socket.ts";
import type { DatagramHandler } from "./datagram-handler.ts";
import { bindDescriptor, makeDescriptor, type SocketOptions } from "./datagram-socket.ts";
import { FRAGMENTS_ALONE } from "./filters.ts";
import type { PagePool } from "./page-pool.ts";
import { TrainReader } from "./train-reader.ts";

/**
 * A second socket on the address of the group, for fragments alone. The event loop does not watch it: while a transfer
 * runs, it is read every few milliseconds. To wake up for each train, and to have node:dgram make memory for it, costs a
 * receiver more than everything else.
 */
export class TrainSocket {
  private readonly descriptor: number;
  private readonly reader: TrainReader;

  private constructor(descriptor: number, reader: TrainReader) {
    this.descriptor = descriptor;
    this.reader = reader;
  }

  /**
   * @returns undefined if the library or the kernel lacks the calls
   * @throws UserError if the address cannot be bound
   */
  static open(options: SocketOptions, pages: PagePool): TrainSocket | undefined {
    // Not the reader of the other sockets: trains are also read while that one hands over its messages.
    const reader = TrainReader.create(pages);
    if (reader === undefined) return undefined;
    const descriptor = makeDescriptor(options, true);
    if (descriptor === undefined) return undefined;
    try {
      bindDescriptor(options, descriptor);
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
    return new TrainSocket(descriptor, reader);
  }

  /** Drops everything but fragments, and those that this node has sent. False if the kernel cannot filter. */
  filter(ownIp: string, port: number): boolean {
    return filterSocket(this.descriptor, { ...FRAGMENTS_ALONE, ip: ownIp, port });
  }

  /** Joins the group on an interface. Throws the error of the kernel. */
  join(group: string, where: MulticastInterface): void {
    joinGroup(this.descriptor, group, where);
  }

  /** Leaves the group there. */
  leave(group: string, where: MulticastInterface): void {
    leaveGroup(this.descriptor, group, where);
  }

  /** Reads what has arrived, without waiting; how many messages there were. */
  read(handler: DatagramHandler): number {
    return this.reader.read(this.descriptor, handler);
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }
}
