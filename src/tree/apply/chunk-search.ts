/** Looks for chunks of a file that comes in files that this member has. */
import { DecodeError } from "../../base/bytes.ts";
import { errorCode } from "../../sys/system-error.ts";
import type { ToldChunk } from "../../wire/manifest.ts";
import type { OpenFile } from "../disk/open-file.ts";
import { chunkBytesFor } from "../entries/chunker.ts";
import { FileChunks, hasDigest } from "../entries/file-chunks.ts";
import type { Part } from "./written-parts.ts";

/**
 * How far ahead of a chunk it is looked for: a chunk that only moves by a deletion of more is not found. A chunk that moves by an
 * insertion is found at any distance. So the first answer does not wait until all of a large file is read.
 */
const AHEAD_BYTES = 16 * 1024 * 1024;

/** Most chunks whose places are remembered, some 50 MB; then they are forgotten, and those that follow remembered. */
const MOST_PLACES = 256 * 1024;

interface Place {
  readonly offset: number;
  readonly length: number;
}

/**
 * Chunks in one file of this member. All that is remembered of the file is a guess: whatever it says, a chunk is found only if
 * the bytes that were read just now have the digest (PROTOCOL.md 5.2.7). So the file may change at any time.
 */
class SearchedFile {
  readonly path: string;
  private readonly usualBytes: number;
  private readonly places = new Map<string, Place>();
  private readBytes = 0;
  private isRead = false;
  /** Where the chunk after the last one would be, if only bytes in place had changed. */
  private next = 0;

  constructor(path: string, sizeBytes: number) {
    this.path = path;
    this.usualBytes = chunkBytesFor(sizeBytes);
  }

  /** @returns the bytes of the chunk, step by step; undefined if they are not found. They count until the next call. */
  *find(file: OpenFile, chunk: ToldChunk, offset: number): Generator<undefined, Uint8Array | undefined> {
    const guess = this.next;
    this.next = guess + chunk.length;
    const bytes = read(file, guess, chunk);
    if (bytes !== undefined) return bytes;
    yield* this.readTo(file, Math.max(offset, guess), chunk.length);
    const place = this.places.get(keyOf(chunk.digest));
    if (place === undefined || place.length !== chunk.length) return undefined;
    const found = read(file, place.offset, chunk);
    if (found !== undefined) this.next = place.offset + place.length;
    return found;
  }

  private *readTo(file: OpenFile, offset: number, length: number): Generator<undefined, void> {
    // Bytes far before this place are not read: the chunks before were found without them.
    this.readBytes = Math.max(this.readBytes, offset - AHEAD_BYTES);
    const end = offset + length + AHEAD_BYTES;
    if (this.isRead || this.readBytes >= end) return;
    const chunks = new FileChunks(file, this.readBytes, this.usualBytes);
    while (this.readBytes < end) {
      const found = orNothing(() => chunks.step());
      if (found === undefined) {
        this.isRead = true;
        return;
      }
      for (const { offset: at, length: bytes, digest } of found) {
        if (this.places.size >= MOST_PLACES) this.places.clear();
        this.places.set(keyOf(digest), { offset: at, length: bytes });
        // The next call begins with the chunk that was not at its end.
        this.readBytes = at + bytes;
      }
      yield;
    }
  }
}

/** Looks for the chunks of one file, in all files that may have some of them. */
export class ChunkSearch {
  private files: readonly SearchedFile[];
  private readonly sizeBytes: number;
  /** The sender has told chunks up to here. */
  private toldBytes = 0;

  /**
   * @param paths of the files of this member
   * @param sizeBytes of the file that comes
   */
  constructor(paths: readonly string[], sizeBytes: number) {
    this.files = paths.map((path) => new SearchedFile(path, sizeBytes));
    this.sizeBytes = sizeBytes;
  }

  /**
   * The place of the next chunk in the file that comes: it follows the last one.
   *
   * @throws DecodeError if it reaches the end: the last bytes come from the sender, which has looked by then whether the file is
   *   the same (PROTOCOL.md 5.2.7)
   */
  place({ length }: ToldChunk): Part {
    const part = { start: this.toldBytes, end: this.toldBytes + length };
    if (part.end >= this.sizeBytes) throw new DecodeError("a chunk reaches the end of its file");
    this.toldBytes = part.end;
    return part;
  }

  /** Nothing more is found from now on, and nothing remembered. */
  end(): void {
    this.files = [];
  }

  /**
   * @param offset of the chunk in the file that comes
   * @param open opens a file of this member; undefined if it cannot be read
   * @returns its bytes, step by step; undefined if they are not found
   */
  *find(
    chunk: ToldChunk,
    offset: number,
    open: (path: string) => OpenFile | undefined,
  ): Generator<undefined, Uint8Array | undefined> {
    for (const searched of this.files) {
      const file = open(searched.path);
      if (file === undefined) continue;
      try {
        const found = yield* searched.find(file, chunk, offset);
        if (found !== undefined) return found;
      } finally {
        file.close();
      }
    }
    return undefined;
  }
}

function read(file: OpenFile, offset: number, { length, digest }: ToldChunk): Uint8Array | undefined {
  return orNothing(() => {
    const { size } = file.stat();
    if (offset + length > size) return undefined;
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length;) {
      const count = file.read(bytes.subarray(done), offset + done);
      if (count === 0) return undefined;
      done += count;
    }
    return hasDigest(bytes, digest) ? bytes : undefined;
  });
}

/** A file that cannot be read is as good as one with other contents. */
function orNothing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}

function keyOf(digest: Uint8Array): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.length).toString("latin1");
}
