/** The files that members want, and data blocks with their contents. */
import type { Reason } from "../../base/reason.ts";
import { BlockKind } from "../../wire/datagram.ts";
import { DataWriter, type SegmentWriter } from "../../wire/data-block.ts";
import type { Directories } from "../disk/directories.ts";
import type { ChunkTags } from "../entries/chunk-tags.ts";
import { FileReader } from "./file-reader.ts";
import type { Packer } from "./packer.ts";
import type { WantedFile } from "./told-chunks.ts";

/** A file of this size fills a block of its own. */
const LARGE_BYTES = 64 * 1024;

/** A data block that was made. */
export interface DataBlock {
  readonly kind: typeof BlockKind.data;
  readonly bytes: number;
  readonly entries: 0;
  /** How much longer it would be without compression, in bytes. */
  readonly savedBytes: number;
}

/** Files and parts of files that are to be sent, in their order. */
export class WantedFiles {
  private readonly wanted: WantedFile[] = [];
  /** Of all that is in `wanted`, in bytes. */
  private wantedBytes = 0;
  private readonly reader: FileReader;
  private readonly packer: Packer;
  private readonly onEnd: (file: WantedFile, failure: Reason | undefined) => void;
  /** The last call made no block, but took away what was withdrawn meanwhile: chunks may have waited until it is gone. */
  hasOnlySkipped = false;

  /**
   * @param tags for parts of files; undefined if whole files are read
   * @param onEnd called with each file or part that has been read, and why it is withdrawn, if it is
   */
  constructor(
    directories: Directories,
    tags: ChunkTags | undefined,
    packer: Packer,
    onEnd: (file: WantedFile, failure: Reason | undefined) => void,
  ) {
    this.reader = new FileReader(directories, tags);
    this.packer = packer;
    this.onEnd = onEnd;
  }

  add(file: WantedFile): void {
    this.wanted.push(file);
    this.wantedBytes += bytesOf(file);
  }

  /** How much is still to be read, in bytes; where a file is withdrawn, it will turn out to be less. */
  get contentBytes(): number {
    return this.wantedBytes - this.reader.readBytes;
  }

  /** Whether contents are still to be read. */
  get hasContents(): boolean {
    return this.reader.isReading || this.wanted.length > 0;
  }

  /** Whether no file is being read, and nothing that was read waits for a block. */
  get isIdle(): boolean {
    return !this.reader.isReading && this.packer.isEmpty;
  }

  /**
   * Makes a block.
   *
   * @param waitingBlocks blocks that were made and not yet sent: whether compressing is worth it
   * @returns undefined if there is nothing to send
   */
  makeBlock(memory: Uint8Array, waitingBlocks: number): DataBlock | undefined {
    const writer = new DataWriter(memory);
    const { contentBytes } = this;
    let savedBytes = 0;
    for (;;) {
      const before = writer.finish().length;
      const plainBytes = this.packer.putInto(writer);
      if (plainBytes === undefined) break;
      if (plainBytes > 0) savedBytes += plainBytes - (writer.finish().length - before);
      if (!this.hasContents && this.packer.isEmpty) break;
      const level = this.packer.levelOfNext(waitingBlocks);
      const isPlain = level === undefined && this.packer.isEmpty;
      const room = memory.length - writer.finish().length;
      if (!isPlain) this.packer.pack(room, memory.length - 1, level, (part) => this.fillSegments(part));
      else if (!this.fillSegments(writer)) break;
    }
    this.hasOnlySkipped = writer.isEmpty && this.contentBytes < contentBytes;
    if (writer.isEmpty) return undefined;
    return { kind: BlockKind.data, bytes: writer.finish().length, entries: 0, savedBytes };
  }

  close(): void {
    this.reader.close();
  }

  /** Fills memory with segments; false if there is no room for more. */
  private fillSegments(writer: SegmentWriter): boolean {
    while (this.hasContents) {
      if (!this.reader.isReading && !this.startNext()) continue;
      if (!this.reader.fill(writer)) return false;
      this.finishFile();
    }
    return true;
  }

  /** @returns false if nothing of the next one is read: the file is withdrawn */
  private startNext(): boolean {
    const [next] = this.wanted;
    if (next === undefined) return false;
    if (next.chunked?.isWithdrawn === true) {
      this.remove();
      this.onEnd(next, undefined);
      return false;
    }
    this.reader.start(next.entry, next.part);
    const isBeginning = next.part === undefined || next.chunked?.isBegun === false;
    if (isBeginning && next.entry.size >= LARGE_BYTES) this.packer.noteFile();
    if (next.chunked !== undefined) next.chunked.isBegun = true;
    return true;
  }

  private finishFile(): void {
    const finished = this.remove();
    if (finished === undefined) return;
    const { failure } = this.reader;
    if (failure !== undefined && finished.chunked !== undefined) finished.chunked.isWithdrawn = true;
    this.onEnd(finished, failure);
  }

  private remove(): WantedFile | undefined {
    const removed = this.wanted.shift();
    if (removed !== undefined) this.wantedBytes -= bytesOf(removed);
    return removed;
  }
}

function bytesOf({ entry, part }: WantedFile): number {
  return part === undefined ? entry.size : part.end - part.start;
}
