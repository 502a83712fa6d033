/** What takes in the datagrams that sockets and transports have received. */
import type { ScatteredMessage } from "../sys/datagram-reader.ts";

/** Takes in what has arrived. The memory it lies in is used for the next as soon as the handler returns. */
export interface DatagramHandler {
  /** The bytes from `start` to `end` are one datagram, or several of equal length but the last. */
  takeDatagrams(bytes: Buffer, start: number, end: number, ip: string, port: number): void;

  /**
   * Takes in a message whose headers and payloads lie apart.
   *
   * @returns false if it is not a run of fragments of one block; the caller then hands it over as datagrams
   */
  takeTrain(train: ScatteredMessage): boolean;
}
