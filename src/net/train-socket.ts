/** The socket that takes the fragments of the group, and nothing else. */
import fs from "node:fs";
import { filterSocket } from "../sys/socket-filter.ts";
import type { DatagramHandler } from "./datagram-handler.ts";
import { openDescriptor, type SocketOptions } from "./datagram-socket.ts";
import { FRAGMENTS_ALONE } from "./filters.ts";
import type { PagePool } from "./page-pool.ts";
import { TrainReader } from "./train-reader.ts";

/**
 * A second socket on the group's address, for fragments alone. Nobody watches it: whoever expects trains reads it every
 * few milliseconds. Being woken for each train, and letting node:dgram make memory for it, costs a receiver more than all
 * the rest; and where many receivers share a processor, it costs them their time.
 */
export class TrainSocket {
  private readonly descriptor: number;
  private readonly reader: TrainReader;

  private constructor(descriptor: number, reader: TrainReader) {
    this.descriptor = descriptor;
    this.reader = reader;
  }

  /**
   * @returns undefined where the library or the kernel cannot do that
   * @throws UserError where the address cannot be bound
   */
  static open(options: SocketOptions, pages: PagePool): TrainSocket | undefined {
    // One of its own: trains are also read in the middle of what another one has read.
    const reader = TrainReader.create(pages);
    if (reader === undefined) return undefined;
    const descriptor = openDescriptor(options);
    return descriptor === undefined ? undefined : new TrainSocket(descriptor, reader);
  }

  /** Lets in fragments alone, and none of this node's own; false where the kernel does not do that. */
  filter(ownIp: string, port: number): boolean {
    return filterSocket(this.descriptor, { ...FRAGMENTS_ALONE, ip: ownIp, port });
  }

  /** Reads what has arrived, without waiting; how many messages there were. */
  read(handler: DatagramHandler): number {
    return this.reader.read(this.descriptor, handler);
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }
}
