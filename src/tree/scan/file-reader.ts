/** Reads files into data blocks, and withdraws those that change. */
import fs from "node:fs";
import { openEntry } from "../../sys/files.ts";
import { statDescriptor } from "../../sys/stat.ts";
import type { DataWriter } from "../../wire/data-block.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import type { Directories } from "../disk/directories.ts";
import { explain } from "../reasons/explain.ts";
import { nextPiece } from "../entries/holes.ts";
import type { HeldEntry } from "./held-entry.ts";

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/**
 * Reads one file after the other into data blocks. A file that is not, from the first byte to the last, the one
 * that was announced, is withdrawn: it is never sent as a mixture.
 */
export class FileReader {
  private readonly directories: Directories;
  private entry: HeldEntry | undefined;
  private descriptor = -1;
  private offset = 0;
  /** Why the present file, or the last one, is withdrawn. */
  failure: string | undefined;

  constructor(directories: Directories) {
    this.directories = directories;
  }

  get isReading(): boolean {
    return this.entry !== undefined;
  }

  start(entry: HeldEntry): void {
    this.entry = entry;
    this.offset = 0;
    this.failure = undefined;
    try {
      const directory = this.directories.descriptor(directoryOf(entry.path));
      this.descriptor = openEntry(directory, nameOf(entry.path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      this.checkUnchanged(entry);
    } catch (error) {
      this.failure = explain(error);
    }
  }

  /** Fills a block; false when it is full, true when the file is at its end, well or not. */
  fill(writer: DataWriter): boolean {
    const { entry } = this;
    if (entry === undefined) return true;
    while (this.failure === undefined && this.offset < entry.size) {
      if (writer.contentRoom === 0 || !this.readPiece(writer, entry)) return false;
    }
    if (this.failure !== undefined && !writer.addWithdrawal(entry.number, this.failure)) return false;
    this.close();
    return true;
  }

  close(): void {
    if (this.descriptor !== -1) fs.closeSync(this.descriptor);
    this.descriptor = -1;
    this.entry = undefined;
  }

  /** @returns false where the block is full */
  private readPiece(writer: DataWriter, entry: HeldEntry): boolean {
    try {
      const piece = entry.isSparse ? nextPiece(this.descriptor, this.offset, entry.size) : undefined;
      if (piece !== undefined && piece.start > this.offset) return this.addHole(writer, entry, piece.start);
      const end = piece?.end ?? entry.size;
      const space = writer.contentSpace(Math.min(writer.contentRoom, end - this.offset));
      const bytes = fs.readSync(this.descriptor, space, 0, space.length, this.offset);
      if (bytes === 0) {
        this.failure = "it became shorter while it was being sent";
        return true;
      }
      if (this.isStill(entry, this.offset + bytes)) {
        writer.addContent(entry.number, this.offset, bytes);
        this.offset += bytes;
      }
    } catch (error) {
      this.failure = explain(error);
    }
    return true;
  }

  private addHole(writer: DataWriter, entry: HeldEntry, end: number): boolean {
    if (!this.isStill(entry, end)) return true;
    if (!writer.addHole(entry.number, this.offset, end - this.offset)) return false;
    this.offset = end;
    return true;
  }

  /** The last piece completes the file at the receivers, so it only goes out when the file was the same to its end. */
  private isStill(entry: HeldEntry, end: number): boolean {
    if (end === entry.size) this.checkUnchanged(entry);
    return this.failure === undefined;
  }

  private checkUnchanged(entry: HeldEntry): void {
    const stats = statDescriptor(this.descriptor);
    if (!stats.isFile() || stats.size !== entry.size || stats.mtimeNs !== entry.mtimeNs) {
      this.failure = "it changed while it was being sent";
    }
  }
}
