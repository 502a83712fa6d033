import { below, fraction, type Random } from "../../src/base/random.ts";

/** Contents of files that tell by themselves which version they are, and whether they are whole. */

const PAGE_BYTES = 4096;
/** A page of data, one that is a hole, and one of data again. */
const SPARSE_BYTES = 3 * PAGE_BYTES;
/** 2023: before everything that a clock of a simulated disk says. */
const FIRST_TIME_NS = 1_700_000_000_000_000_000n;
const SECOND_NS = 1_000_000_000n;

/** What the contents of a file are. */
export interface Version {
  readonly number: number;
  readonly sizeBytes: number;
  readonly isSparse: boolean;
}

/** Gives each version its contents, and each change of a file a time that no other has in the whole fleet. */
export class Versions {
  private readonly random: Random;
  private readonly labels = new Map<bigint, string>();
  private last = 0;
  private lastTimeNs = FIRST_TIME_NS;

  constructor(random: Random) {
    this.random = random;
  }

  draw(sparseShare = 0.15): Version {
    const number = ++this.last;
    if (fraction(this.random) < sparseShare) return { number, sizeBytes: SPARSE_BYTES, isSparse: true };
    const most = fraction(this.random) < 0.2 ? 9_000 : 1_500;
    const sizeBytes = fraction(this.random) < 0.1 ? 0 : 12 + below(this.random, most);
    return { number, sizeBytes, isSparse: false };
  }

  /** A time for a file with these contents. */
  timeFor(label: string): bigint {
    this.lastTimeNs += SECOND_NS;
    this.labels.set(this.lastTimeNs, label);
    return this.lastTimeNs;
  }

  /** The label of the contents that a file of this time has. */
  labelAt(timeNs: bigint): string {
    return this.labels.get(timeNs) ?? `of nobody, from ${timeNs}`;
  }
}

/** The pieces of a version that are data, with their places in the file. */
export function piecesOf(version: Version): { offset: number; bytes: Uint8Array }[] {
  const bytes = bytesOf(version);
  if (!version.isSparse) return [{ offset: 0, bytes }];
  return [
    { offset: 0, bytes: bytes.subarray(0, PAGE_BYTES) },
    { offset: 2 * PAGE_BYTES, bytes: bytes.subarray(2 * PAGE_BYTES) },
  ];
}

export function labelOf(version: Version): string {
  if (version.sizeBytes === 0) return "empty";
  return `${version.isSparse ? "sparse " : ""}v${version.number} of ${version.sizeBytes} bytes`;
}

/** The label of contents as they were read; contents that are of no version are damaged. */
export function labelOfBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return "empty";
  const head = /^([vs])(\d+)\|/.exec(Buffer.from(bytes.subarray(0, 16)).toString("latin1"));
  if (head === null) return "damaged";
  const version = { number: Number(head[2]), sizeBytes: bytes.length, isSparse: head[1] === "s" };
  return bytesOf(version).equals(bytes) ? labelOf(version) : `damaged, once v${version.number}`;
}

function bytesOf({ number, sizeBytes, isSparse }: Version): Buffer {
  if (sizeBytes === 0) return Buffer.alloc(0);
  const bytes = Buffer.alloc(sizeBytes, `${isSparse ? "s" : "v"}${number}|`, "latin1");
  return isSparse ? bytes.fill(0, PAGE_BYTES, 2 * PAGE_BYTES) : bytes;
}
