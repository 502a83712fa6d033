/** Reads files into data blocks, and withdraws files that change. */
import type { ChunkTags, Tagger } from "../entries/chunk-tags.ts";
import { isSameState } from "../entries/same-file.ts";
import { type Reason, reason, sentenceOf } from "../../base/reason.ts";
import type { SegmentWriter } from "../../wire/data-block.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import type { Directories } from "../disk/directories.ts";
import type { OpenFile } from "../disk/open-file.ts";
import { reasonFor } from "../reasons/explain.ts";
import { nextPiece } from "../entries/holes.ts";
import type { HeldEntry } from "./held-entry.ts";

/** A part of a file, in bytes from its beginning. */
export interface FilePart {
  readonly start: number;
  readonly end: number;
  /** The tag of the part, if members were told; a part that does not match has changed. */
  readonly tag: Uint8Array | undefined;
}

/**
 * Reads one file after another into data blocks. A file that differs from the announced one at any byte is withdrawn: a
 * mixture of two states is never sent.
 */
export class FileReader {
  private readonly directories: Directories;
  private readonly tags: ChunkTags | undefined;
  private entry: HeldEntry | undefined;
  private file: OpenFile | undefined;
  private from = 0;
  private offset = 0;
  private end = 0;
  private tag: Uint8Array | undefined;
  private tagger: Tagger | undefined;
  /** Why the present file, or the last one, is withdrawn. */
  failure: Reason | undefined;

  /** @param tags those of the transfer; undefined if no parts are read */
  constructor(directories: Directories, tags?: ChunkTags) {
    this.directories = directories;
    this.tags = tags;
  }

  get isReading(): boolean {
    return this.entry !== undefined;
  }

  /** How much of the present file or part has been read, in bytes. */
  get readBytes(): number {
    return this.isReading ? this.offset - this.from : 0;
  }

  /** @param part what is read of the file; by default all of it */
  start(entry: HeldEntry, part: FilePart = { start: 0, end: entry.size, tag: undefined }): void {
    this.entry = entry;
    this.from = part.start;
    this.offset = part.start;
    this.end = part.end;
    this.tag = part.tag;
    this.tagger = part.tag === undefined ? undefined : this.tags?.begin();
    this.failure = undefined;
    try {
      this.file = this.directories.openToRead(directoryOf(entry.path), nameOf(entry.path));
      this.checkUnchanged(this.file, entry);
    } catch (error) {
      this.failure = reasonFor(error);
    }
  }

  /** Fills a block; false when it is full, true at the end of the file or part, whether it succeeded or failed. */
  fill(writer: SegmentWriter): boolean {
    const { entry, file } = this;
    if (entry === undefined) return true;
    while (this.failure === undefined && file !== undefined && this.offset < this.end) {
      if (writer.contentRoom === 0 || !this.readPiece(writer, entry, file)) return false;
    }
    if (this.failure !== undefined && !writer.addWithdrawal(entry.number, sentenceOf(this.failure)))
      return false;
    this.close();
    return true;
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
    this.entry = undefined;
  }

  /** @returns false if the block is full */
  private readPiece(writer: SegmentWriter, entry: HeldEntry, file: OpenFile): boolean {
    try {
      const piece = entry.isSparse ? nextPiece(file, this.offset, entry.size) : undefined;
      if (piece !== undefined && piece.start > this.offset)
        return this.addHole(writer, entry, file, piece.start);
      const end = piece?.end ?? this.end;
      const space = writer.contentSpace(Math.min(writer.contentRoom, end - this.offset));
      const bytes = file.read(space, this.offset);
      if (bytes === 0) {
        this.failure = reason("became-shorter");
        return true;
      }
      this.tagger?.add(space.subarray(0, bytes));
      if (this.isStill(entry, file, this.offset + bytes)) {
        writer.addContent(entry.number, this.offset, bytes);
        this.offset += bytes;
      }
    } catch (error) {
      this.failure = reasonFor(error);
    }
    return true;
  }

  private addHole(writer: SegmentWriter, entry: HeldEntry, file: OpenFile, end: number): boolean {
    if (!this.isStill(entry, file, end)) return true;
    if (!writer.addHole(entry.number, this.offset, end - this.offset)) return false;
    this.offset = end;
    return true;
  }

  /** The last piece completes the file at the receivers, so it is sent only if the file has not changed until then. */
  private isStill(entry: HeldEntry, file: OpenFile, end: number): boolean {
    if (end === entry.size) this.checkUnchanged(file, entry);
    if (end === this.end) this.checkTag();
    return this.failure === undefined;
  }

  /** Members that had this part have the bytes of its tag. */
  private checkTag(): void {
    const { tagger, tag } = this;
    if (tagger === undefined || tag === undefined) return;
    if (Buffer.compare(tagger.tag(), tag) !== 0) this.failure ??= reason("changed-while-sent");
  }

  private checkUnchanged(file: OpenFile, entry: HeldEntry): void {
    const now = file.stat();
    if (!now.isFile() || entry.stats === undefined || !isSameState(entry.stats, now)) {
      this.failure = reason("changed-while-sent");
    }
  }
}
