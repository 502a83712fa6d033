import fs from "node:fs";
import { canSyncFileSystem, openEntry, setDescriptorTime } from "../sys/files.ts";
import type { ContentSegment } from "../wire/data-block.ts";
import { EntryType } from "../wire/entry.ts";
import type { Metadata } from "../wire/metadata.ts";
import { directoryOf, nameOf } from "../wire/path-rules.ts";
import { type AttributeRules, modeToSet } from "./attributes.ts";
import { entryPath } from "../sys/entry-path.ts";
import { type JournalWriter, StepKind } from "./journal.ts";
import type { StagingArea } from "./staging-area.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;

/** Up to this many files are made durable one by one; beyond, the whole file system at once is cheaper. */
const syncedOneByOne = () => (canSyncFileSystem() ? 8 : Infinity);

/** Files that are open because only a part of them has arrived. */
const OPEN_FILES = 64;

/** A wanted file whose content is on its way. */
interface ExpectedFile {
  readonly number: number;
  readonly path: string;
  readonly size: number;
  readonly metadata: Metadata;
  /** Its directory is not staged, so the file itself has to be moved at the commit. */
  readonly isPlaced: boolean;
}

interface PartialFile extends ExpectedFile {
  receivedBytes: number;
  isCreated: boolean;
  descriptor: number | undefined;
}

/** The files of one transfer while they are written. Memory holds those that are not complete. */
export class StagedFiles {
  private readonly area: StagingArea;
  private readonly journal: JournalWriter;
  private readonly rules: AttributeRules;
  private readonly partial = new Map<number, PartialFile>();
  private readonly open = new Set<PartialFile>();
  private completed = 0;
  /** Whether the sender has taken a file back. */
  hasWithdrawn = false;
  writtenBytes = 0;

  constructor(area: StagingArea, journal: JournalWriter, rules: AttributeRules) {
    this.area = area;
    this.journal = journal;
    this.rules = rules;
  }

  /** Files whose content has not all arrived. */
  get incomplete(): number {
    return this.partial.size;
  }

  /** Whether there is content that has not been made durable. */
  get needsSync(): boolean {
    return this.completed > syncedOneByOne();
  }

  expect(file: ExpectedFile): void {
    const partial = { ...file, receivedBytes: 0, isCreated: false, descriptor: undefined };
    if (file.size === 0) this.complete(partial);
    else this.partial.set(file.number, partial);
  }

  /** Writes a piece; one of an entry that is not wanted here is passed over. */
  write(segment: ContentSegment): void {
    const file = this.partial.get(segment.entry);
    if (file === undefined || segment.offset + segment.bytes.length > file.size) return;
    const descriptor = this.descriptorOf(file);
    for (let written = 0; written < segment.bytes.length;) {
      const length = segment.bytes.length - written;
      written += fs.writeSync(descriptor, segment.bytes, written, length, segment.offset + written);
    }
    file.receivedBytes += segment.bytes.length;
    this.writtenBytes += segment.bytes.length;
    if (file.receivedBytes < file.size) return;
    this.partial.delete(file.number);
    this.complete(file);
  }

  /** The sender takes a file back: it stays here as it was. */
  withdraw(number: number): void {
    const file = this.partial.get(number);
    if (file === undefined) return;
    this.partial.delete(number);
    this.hasWithdrawn = true;
    this.closeFile(file);
    if (file.isCreated) fs.unlinkSync(this.stagedPath(file));
  }

  close(): void {
    for (const file of this.open) this.closeFile(file);
    this.partial.clear();
  }

  private complete(file: PartialFile): void {
    const descriptor = this.descriptorOf(file);
    if (this.rules.keepOwner) {
      const { user, group } = file.metadata;
      fs.fchownSync(descriptor, this.rules.owners.userId(user), this.rules.owners.groupId(group));
    }
    fs.fchmodSync(descriptor, modeToSet(file.metadata, this.rules));
    if (++this.completed <= syncedOneByOne()) fs.fdatasyncSync(descriptor);
    setDescriptorTime(descriptor, file.metadata.mtimeNs);
    this.closeFile(file);
    if (file.isPlaced) this.journal.add(StepKind.place, EntryType.file, file.path);
  }

  private descriptorOf(file: PartialFile): number {
    if (file.descriptor !== undefined) return file.descriptor;
    for (const oldest of this.open) {
      if (this.open.size < OPEN_FILES) break;
      this.closeFile(oldest);
    }
    const flags = O_WRONLY | O_NOFOLLOW | (file.isCreated ? 0 : O_CREAT | O_EXCL);
    file.descriptor = openEntry(
      this.area.directoryFor(directoryOf(file.path)),
      nameOf(file.path),
      flags,
      0o600,
    );
    file.isCreated = true;
    this.open.add(file);
    return file.descriptor;
  }

  private closeFile(file: PartialFile): void {
    this.open.delete(file);
    if (file.descriptor !== undefined) fs.closeSync(file.descriptor);
    file.descriptor = undefined;
  }

  private stagedPath(file: ExpectedFile): Buffer {
    return entryPath(this.area.directoryFor(directoryOf(file.path)), nameOf(file.path));
  }
}
