import { DatagramReader, type ScatteredMessage } from "../sys/datagram-reader.ts";
import { FRAGMENT_HEADER_BYTES, FRAGMENT_PAYLOAD_BYTES } from "../wire/datagram.ts";
import type { DatagramHandler } from "./datagram-socket.ts";
import { PAGE_BYTES, type PagePool } from "./page-pool.ts";

const LONGEST_MESSAGE_BYTES = 65_536;

/**
 * Reads trains from sockets, with the payloads of their fragments in a page of the pool. One reader serves all sockets:
 * what it has read is taken in before it reads again.
 */
export class TrainReader {
  private readonly reader: DatagramReader;
  private readonly pool: PagePool;
  /** Where a message that is no train of fragments is put together again. */
  private readonly gathered = Buffer.alloc(LONGEST_MESSAGE_BYTES);

  private constructor(reader: DatagramReader, pool: PagePool) {
    this.reader = reader;
    this.pool = pool;
  }

  /** @returns undefined where the library or the kernel cannot do that */
  static create(pool: PagePool): TrainReader | undefined {
    const reader = DatagramReader.create({
      headerBytes: FRAGMENT_HEADER_BYTES,
      payloadBytes: FRAGMENT_PAYLOAD_BYTES,
      memory: pool.bytes,
      pageBytes: PAGE_BYTES,
      takePage: () => pool.take() ?? 0,
    });
    return reader === undefined ? undefined : new TrainReader(reader, pool);
  }

  /**
   * Reads what has arrived at a socket, up to a bound and without waiting.
   *
   * @returns whether there may be more
   */
  read(descriptor: number, handler: DatagramHandler): boolean {
    return this.reader.read(descriptor, (message) => {
      if (handler.takeTrain(message)) return;
      this.gather(message);
      handler.takeDatagrams(this.gathered, 0, message.sizeBytes, message.ip, message.port);
    });
  }

  private gather({ headers, headersStart, page, sizeBytes }: ScatteredMessage): void {
    let header = headersStart;
    let payload = page * PAGE_BYTES;
    for (let position = 0; position < sizeBytes;) {
      position += headers.copy(this.gathered, position, header, header + FRAGMENT_HEADER_BYTES);
      position += this.pool.bytes.copy(this.gathered, position, payload, payload + FRAGMENT_PAYLOAD_BYTES);
      header += FRAGMENT_HEADER_BYTES;
      payload += FRAGMENT_PAYLOAD_BYTES;
    }
  }
}
