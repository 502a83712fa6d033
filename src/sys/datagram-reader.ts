/** Reads many messages with each call, and separates headers from payloads (recvmmsg). */
import { addressNumberOf } from "./memory.ts";
import { nativeFunction, type NativeFunction } from "./native.ts";

/**
 * Reads from a UDP socket, many messages with each call (recvmmsg). A message is one datagram, or a train that the
 * kernel has merged (UDP_GRO): all of its datagrams have the same length, except that the last one may be shorter. The
 * kernel scatters it. The headers go one after another into memory of the reader; the payloads go one after another
 * into a page of the caller.
 */

/** Messages of one call; if fewer come back, there are no more. Chosen without measurement. */
export const BATCH = 32;
/** The longest message in datagrams of the full length: 65,535 bytes. */
const MOST_DATAGRAMS = 46;
// A number of the kernel's interface.
const MSG_DONTWAIT = 0x40;

/** struct mmsghdr on 64-bit Linux: a struct msghdr of 56 bytes, and the number of bytes received. */
const MESSAGE_BYTES = 64;
const MESSAGE = { name: 0, nameLength: 8, vectors: 16, vectorCount: 24, received: 56 } as const;
/** struct iovec: the start and the length of the memory. Each datagram needs two. */
const VECTOR_BYTES = 16;
const VECTORS = 2 * MOST_DATAGRAMS;
/** struct sockaddr_in: family, port, address. */
const NAME_BYTES = 16;

/** How datagrams are split, and where their payloads go. */
export interface Scattering {
  readonly headerBytes: number;
  readonly payloadBytes: number;
  /** Shared memory that contains all pages. */
  readonly memory: Uint8Array;
  readonly pageBytes: number;
  /** Returns a page that is not in use. */
  readonly takePage: () => number;
}

/** A message that was read; one object is reused. */
export interface ScatteredMessage {
  /** The headers of its datagrams, one after another, from `headersStart` on. */
  readonly headers: Buffer;
  headersStart: number;
  /** The page with the payloads. A caller that keeps it must put another one in its place. */
  page: number;
  /** Bytes of all its datagrams. */
  sizeBytes: number;
  ip: string;
  port: number;
}

export class DatagramReader {
  private readonly recvmmsg: NativeFunction;
  private readonly structures: Structures;
  private readonly message: ScatteredMessage;
  /** The page that each message is read into. */
  private readonly pages: number[] = [];
  /** The address of the last message as a number; most messages come from one sender. */
  private lastAddress = -1;

  private constructor(recvmmsg: NativeFunction, structures: Structures, takePage: () => number) {
    this.recvmmsg = recvmmsg;
    this.structures = structures;
    const { headers } = structures;
    this.message = { headers, headersStart: 0, page: 0, sizeBytes: 0, ip: "", port: 0 };
    for (let index = 0; index < BATCH; index++) {
      this.pages.push(takePage());
      structures.aim(index, this.pages[index] as number);
    }
  }

  /** @returns undefined if the kernel or the library does not support it */
  static create(scattering: Scattering): DatagramReader | undefined {
    if (process.arch !== "x64" && process.arch !== "arm64") return undefined;
    const recvmmsg = nativeFunction("int recvmmsg(int, void *, unsigned int, int, void *)");
    if (recvmmsg === undefined) return undefined;
    return new DatagramReader(recvmmsg, new Structures(scattering), scattering.takePage);
  }

  /**
   * Reads once, without waiting.
   *
   * @returns how many messages there were
   */
  read(descriptor: number, onMessage: (message: ScatteredMessage) => void): number {
    const { structures, message } = this;
    const count = this.recvmmsg(descriptor, structures.messages, BATCH, MSG_DONTWAIT, null);
    for (let index = 0; index < count; index++) {
      this.describe(index);
      onMessage(message);
      if (message.page === this.pages[index]) continue;
      this.pages[index] = message.page;
      structures.aim(index, message.page);
    }
    return Math.max(0, count);
  }

  private describe(index: number): void {
    const { messages, names, headersBytes } = this.structures;
    const { message } = this;
    const name = index * NAME_BYTES;
    const address = names.readUInt32BE(name + 4);
    if (address !== this.lastAddress) {
      this.lastAddress = address;
      message.ip = names.subarray(name + 4, name + 8).join(".");
    }
    message.port = names.readUInt16BE(name + 2);
    message.headersStart = index * headersBytes;
    message.page = this.pages[index] as number;
    message.sizeBytes = messages.readUInt32LE(index * MESSAGE_BYTES + MESSAGE.received);
  }
}

/** The structures that tell the kernel where to write: one piece of memory for each kind, made once. */
class Structures {
  readonly messages = sharedBuffer(BATCH * MESSAGE_BYTES);
  readonly names = sharedBuffer(BATCH * NAME_BYTES);
  readonly headers: Buffer;
  /** Bytes of the headers of one message. */
  readonly headersBytes: number;
  private readonly vectors = sharedBuffer(BATCH * VECTORS * VECTOR_BYTES);
  /** The structures in words of 32 bits. */
  private readonly words = new Uint32Array(
    this.vectors.buffer,
    this.vectors.byteOffset,
    this.vectors.length / 4,
  );
  private readonly scattering: Scattering;
  private readonly memoryAddress: number;

  constructor(scattering: Scattering) {
    this.scattering = scattering;
    this.headersBytes = scattering.headerBytes * MOST_DATAGRAMS;
    this.headers = sharedBuffer(BATCH * this.headersBytes);
    this.memoryAddress = numericAddress(scattering.memory);
    const [vectors, names, headers] = [this.vectors, this.names, this.headers].map(
      numericAddress,
    ) as Addresses;
    for (let index = 0; index < BATCH; index++) {
      const start = index * MESSAGE_BYTES;
      this.messages.writeBigUInt64LE(BigInt(names + index * NAME_BYTES), start + MESSAGE.name);
      this.messages.writeUInt32LE(NAME_BYTES, start + MESSAGE.nameLength);
      this.messages.writeBigUInt64LE(
        BigInt(vectors + index * VECTORS * VECTOR_BYTES),
        start + MESSAGE.vectors,
      );
      this.messages.writeBigUInt64LE(BigInt(VECTORS), start + MESSAGE.vectorCount);
      for (let datagram = 0; datagram < MOST_DATAGRAMS; datagram++) {
        const vector = index * VECTORS + 2 * datagram;
        const header = headers + index * this.headersBytes + datagram * scattering.headerBytes;
        this.setVector(vector, header, scattering.headerBytes);
        this.setVector(vector + 1, 0, scattering.payloadBytes);
      }
    }
  }

  /** Directs the payloads of a message into a page. */
  aim(index: number, page: number): void {
    const { pageBytes, payloadBytes } = this.scattering;
    let address = this.memoryAddress + page * pageBytes;
    for (let datagram = 0; datagram < MOST_DATAGRAMS; datagram++, address += payloadBytes) {
      this.setAddress(index * VECTORS + 2 * datagram + 1, address);
    }
  }

  private setVector(vector: number, address: number, lengthBytes: number): void {
    this.setAddress(vector, address);
    this.words[(vector * VECTOR_BYTES) / 4 + 2] = lengthBytes;
  }

  private setAddress(vector: number, address: number): void {
    this.words[(vector * VECTOR_BYTES) / 4] = address >>> 0;
    this.words[(vector * VECTOR_BYTES) / 4 + 1] = address / 0x1_0000_0000;
  }
}

type Addresses = [vectors: number, names: number, headers: number];

function sharedBuffer(sizeBytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(sizeBytes));
}

/** Addresses have 47 bits, or 48 on arm64, so a number holds them exactly. */
function numericAddress(bytes: Uint8Array): number {
  const address = addressNumberOf(bytes) ?? 0;
  if (address === 0 || !Number.isSafeInteger(address)) throw new Error("memory without an address");
  return address;
}
