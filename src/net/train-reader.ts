/** Reads trains into pages. */
import { assert } from "../base/assert.ts";
import { BATCH, DatagramReader, type ScatteredMessage } from "../sys/datagram-reader.ts";
import { FRAGMENT_HEADER_BYTES, FRAGMENT_PAYLOAD_BYTES } from "../wire/datagram.ts";
import type { DatagramHandler } from "./datagram-handler.ts";
import { PAGE_BYTES, type PagePool } from "./page-pool.ts";

/** No UDP message is longer: its length has 16 bits. */
const LONGEST_MESSAGE_BYTES = 65_536;

/** Batches that are read before the rest of the event loop has its turn: 256 messages, or at most 16 MiB. */
const BATCHES_PER_TURN = 8;

/**
 * Reads trains from sockets. The payloads of their fragments go into a page of the pool. The handler takes in each message
 * before the next call reads over it.
 */
export class TrainReader {
  private readonly reader: DatagramReader;
  private readonly pool: PagePool;
  /** Memory in which a message that is no run of fragments is put together again. */
  private readonly gathered = Buffer.alloc(LONGEST_MESSAGE_BYTES);

  private constructor(reader: DatagramReader, pool: PagePool) {
    this.reader = reader;
    this.pool = pool;
  }

  /** @returns undefined if the library or the kernel lacks the call */
  static create(pool: PagePool): TrainReader | undefined {
    const reader = DatagramReader.create({
      headerBytes: FRAGMENT_HEADER_BYTES,
      payloadBytes: FRAGMENT_PAYLOAD_BYTES,
      memory: pool.bytes,
      pageBytes: PAGE_BYTES,
      takePage: () => {
        const page = pool.take();
        assert(page !== undefined, "readers are made while there are pages");
        return page;
      },
    });
    return reader === undefined ? undefined : new TrainReader(reader, pool);
  }

  /**
   * Reads the messages that have arrived at a socket, up to a bound, without waiting.
   *
   * @returns how many messages there were
   */
  read(descriptor: number, handler: DatagramHandler): number {
    let total = 0;
    for (let batch = 0; batch < BATCHES_PER_TURN; batch++) {
      const count = this.reader.read(descriptor, (message) => this.take(message, handler));
      total += count;
      if (count < BATCH) break;
    }
    return total;
  }

  private take(message: ScatteredMessage, handler: DatagramHandler): void {
    if (handler.takeTrain(message)) return;
    this.gather(message);
    handler.takeDatagrams(this.gathered, 0, message.sizeBytes, message.ip, message.port);
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
