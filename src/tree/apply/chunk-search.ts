/** Looks for chunks of a file that comes in files that this member has. */
import { DecodeError } from "../../base/bytes.ts";
import { orElse } from "../../sys/system-error.ts";
import { isSentAnyway, type ToldChunk } from "../../wire/manifest.ts";
import type { OpenFile } from "../disk/open-file.ts";
import { CHUNK_BYTES } from "../../wire/limits.ts";
import { chunkBytesFor } from "../entries/chunker.ts";
import type { ChunkTags } from "../entries/chunk-tags.ts";
import { FileChunks } from "../entries/file-chunks.ts";
import type { Part } from "../entries/part.ts";

/**
 * How far ahead a file is read for a chunk that is not where it would be. An insertion, and a change in place, need little; a deletion
 * needs as much as was deleted. So when as many bytes were not found in a row, it is looked as far as a 64th of the file, within
 * bounds: to read two megabytes takes some 4 ms, and sixteen some 30 ms, while the sender waits for the first answer. That is done once:
 * after a part that the sender sends anyway, it is only looked near, until a chunk is found.
 */
const NEAR_BYTES = 256 * 1024;
const FAR_SHARE = 1 / 64;
const FAR_LEAST_BYTES = 2 * 1024 * 1024;
const FAR_MOST_BYTES = 16 * 1024 * 1024;

/** Most chunks whose places are remembered, some 50 MB; then they are forgotten, and those that follow remembered. */
const MOST_PLACES = 256 * 1024;

interface Place {
  readonly offset: number;
  readonly length: number;
}

/**
 * Chunks in one file of this member. All that is remembered of the file is a guess: whatever it says, a chunk is found only if
 * the bytes that were read just now have the tag (PROTOCOL.md 5.2.7). So the file may change at any time.
 */
class SearchedFile {
  readonly path: string;
  private readonly tags: ChunkTags;
  private readonly usualBytes: number;
  private readonly farBytes: number;
  private readonly places = new Map<string, Place>();
  /** Divides the file into chunks, from a place on where one began. */
  private scan: { readonly from: number; readonly chunks: FileChunks; isAtEnd: boolean } | undefined;
  /** Where the chunk after the last one would be, if only bytes in place had changed. */
  private next = 0;
  /** The chunks since the last one that was found, in bytes. */
  private missedBytes = 0;
  /** Whether the sender has sent a part since then that it did not tell. */
  private hasSkipped = false;

  constructor(path: string, sizeBytes: number, tags: ChunkTags) {
    this.path = path;
    this.tags = tags;
    this.usualBytes = chunkBytesFor(sizeBytes);
    this.farBytes = Math.min(FAR_MOST_BYTES, Math.max(FAR_LEAST_BYTES, sizeBytes * FAR_SHARE));
  }

  /** @returns the bytes of the chunk, step by step; undefined if they are not found. They count until the next call. */
  *find(file: OpenFile, chunk: ToldChunk): Generator<undefined, Uint8Array | undefined> {
    const guess = this.next;
    const found = this.readAt(file, guess, chunk) ?? this.readAgain(file, chunk);
    if (found !== undefined) return found;
    const ahead = this.missedBytes < NEAR_BYTES || this.hasSkipped ? NEAR_BYTES : this.farBytes;
    yield* this.scanTo(file, guess, guess + chunk.length + ahead);
    const later = this.readAgain(file, chunk);
    if (later !== undefined) return later;
    this.missedBytes += chunk.length;
    this.next = guess + chunk.length;
    return undefined;
  }

  /** Goes on after a part that is not looked for. */
  skip(length: number): void {
    this.next += length;
    this.hasSkipped = true;
  }

  /** Reads a chunk where the same bytes have been before. */
  private readAgain(file: OpenFile, chunk: ToldChunk): Uint8Array | undefined {
    const place = this.places.get(keyOf(chunk.tag));
    return place?.length === chunk.length ? this.readAt(file, place.offset, chunk) : undefined;
  }

  private readAt(file: OpenFile, offset: number, chunk: ToldChunk): Uint8Array | undefined {
    const bytes = read(file, offset, chunk, this.tags);
    if (bytes === undefined) return undefined;
    this.note(chunk.tag, { offset, length: chunk.length });
    this.next = offset + chunk.length;
    this.missedBytes = 0;
    this.hasSkipped = false;
    return bytes;
  }

  private *scanTo(file: OpenFile, from: number, end: number): Generator<undefined, void> {
    if (this.scan === undefined || this.scan.from > from || this.scan.chunks.offset < from)
      this.scan = { from, chunks: new FileChunks(from, this.usualBytes, this.tags), isAtEnd: false };
    const { scan } = this;
    while (!scan.isAtEnd && scan.chunks.offset < end) {
      const found = orElse(undefined, () => scan.chunks.step(file));
      scan.isAtEnd = found === undefined;
      for (const { offset, length, tag } of found ?? []) this.note(tag, { offset, length });
      yield;
    }
  }

  private note(tag: Uint8Array, place: Place): void {
    if (this.places.size >= MOST_PLACES) this.places.clear();
    this.places.set(keyOf(tag), place);
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
   * @param tags of the transfer
   */
  constructor(paths: readonly string[], sizeBytes: number, tags: ChunkTags) {
    this.files = paths.map((path) => new SearchedFile(path, sizeBytes, tags));
    this.sizeBytes = sizeBytes;
  }

  /**
   * The place of the next chunk in the file that comes: it follows the last one.
   *
   * @throws DecodeError if it reaches the end: the last bytes come from the sender, which has looked by then whether the file is
   *   the same (PROTOCOL.md 5.2.7)
   */
  place(chunk: ToldChunk): Part {
    const part = { start: this.toldBytes, end: this.toldBytes + chunk.length };
    if (part.end >= this.sizeBytes) throw new DecodeError("a chunk reaches the end of its file");
    this.toldBytes = part.end;
    if (isSentAnyway(chunk)) for (const file of this.files) file.skip(chunk.length);
    return part;
  }

  /** Nothing more is found from now on, and nothing remembered. */
  end(): void {
    this.files = [];
  }

  /**
   * @param open opens a file of this member; undefined if it cannot be read
   * @returns its bytes, step by step; undefined if they are not found
   */
  *find(
    chunk: ToldChunk,
    open: (path: string) => OpenFile | undefined,
  ): Generator<undefined, Uint8Array | undefined> {
    for (const searched of this.files) {
      const file = open(searched.path);
      if (file === undefined) continue;
      try {
        const found = yield* searched.find(file, chunk);
        if (found !== undefined) return found;
      } finally {
        file.close();
      }
    }
    return undefined;
  }
}

/** Memory for the chunk that is compared: as much as the longest one took. */
let memory = Buffer.allocUnsafe(4 * CHUNK_BYTES);

function read(
  file: OpenFile,
  offset: number,
  { length, tag }: ToldChunk,
  tags: ChunkTags,
): Uint8Array | undefined {
  return orElse(undefined, () => {
    if (length > memory.length) {
      // A sender that lies of long chunks must not make it take memory.
      if (offset + length > file.stat().size) return undefined;
      memory = Buffer.allocUnsafe(length);
    }
    const bytes = memory.subarray(0, length);
    for (let done = 0; done < length;) {
      const count = file.read(bytes.subarray(done), offset + done);
      if (count === 0) return undefined;
      done += count;
    }
    return tags.matches(bytes, tag) ? bytes : undefined;
  });
}

function keyOf(tag: Uint8Array): string {
  return Buffer.from(tag.buffer, tag.byteOffset, tag.length).toString("latin1");
}
