/** The list of the steps of a commit, on disk. */
import { ByteReader, ByteWriter, DecodeError } from "../../base/bytes.ts";
import { decodeAttributes, encodeAttributes, type EntryType } from "../../wire/entry.ts";
import { isSafePath } from "../../wire/path-rules.ts";
import { ATTRIBUTE_BYTES, ATTRIBUTES, NAME_BYTES, PATH_BYTES } from "../../wire/limits.ts";
import { decodeMetadata, encodeMetadata, type Metadata, NO_METADATA } from "../../wire/metadata.ts";
import type { DirectoryHandle, Disk, FileHandle } from "../disk/disk.ts";
import type { DirectoryAttributes, Step } from "../decide/decision.ts";
import { writeAll } from "./write-all.ts";

/**
 * The journal grows on the disk while the transfer is staged, so that a commit can be finished after a crash. Memory
 * holds only a buffer. Each step may be carried out twice.
 */

/** The attributes that a step sets of a directory; none if there is no metadata. */
interface StepAttributes {
  readonly metadata: Metadata | undefined;
  readonly attributes?: DirectoryAttributes["attributes"];
}

const NO_ATTRIBUTES: StepAttributes = { metadata: undefined };

/** Some hundred steps for each call of the kernel; with a larger buffer no difference could be measured. */
const BUFFER_BYTES = 128 * 1024;
const LONGEST_STEP_BYTES =
  2 + 2 + PATH_BYTES + 2 + 8 + 2 * (4 + 1 + 255) + 2 + ATTRIBUTES * (1 + NAME_BYTES + 2) + ATTRIBUTE_BYTES;

export class JournalWriter {
  private readonly disk: Disk;
  private readonly file: FileHandle;
  private readonly writer = new ByteWriter(BUFFER_BYTES);
  private writtenBytes = 0;
  private isOpen = true;

  /** Creates the file; it must not exist. */
  constructor(disk: Disk, directory: DirectoryHandle, name: string) {
    this.disk = disk;
    this.file = disk.makeFile(directory, name, 0o600);
  }

  add(kind: Step["kind"], type: EntryType, path: string, set: StepAttributes = NO_ATTRIBUTES): void {
    if (this.writer.room < LONGEST_STEP_BYTES) this.flush();
    this.writer.u8(kind).u8(type).longText(path);
    encodeMetadata(this.writer, set.metadata ?? NO_METADATA);
    this.writer.u8(set.attributes === undefined ? 0 : 1);
    if (set.attributes !== undefined) encodeAttributes(this.writer, set.attributes);
  }

  addStep(step: Step): void {
    this.add(step.kind, step.type, step.path, step);
  }

  /** Writes the buffer, so that added steps can be read. */
  flush(): void {
    const { bytes, position } = this.writer;
    writeAll(this.disk, this.file, bytes.subarray(0, position), this.writtenBytes);
    this.writtenBytes += position;
    this.writer.position = 0;
  }

  /** Makes the journal durable and closes it. */
  finish(): void {
    this.flush();
    this.disk.syncFile(this.file);
    this.close();
  }

  /** Closes it in any case; a second call has no effect. */
  close(): void {
    if (this.isOpen) this.disk.closeFile(this.file);
    this.isOpen = false;
  }
}

/**
 * The steps of a journal in their order, read piece by piece.
 *
 * @param open opens the file, which is closed at the end
 * @throws DecodeError for contents that no journal can have
 */
export function* readJournal(disk: Disk, open: () => FileHandle): Generator<Step> {
  const file = open();
  // No Buffer: a slice of one would be a view, which the next piece overwrites.
  const buffer = new Uint8Array(BUFFER_BYTES + LONGEST_STEP_BYTES);
  try {
    let kept = 0;
    for (let offset = 0; ;) {
      const bytes = disk.read(file, buffer.subarray(kept, kept + BUFFER_BYTES), offset);
      offset += bytes;
      const end = kept + bytes;
      const reader = new ByteReader(buffer.subarray(0, end));
      while (reader.remaining >= (bytes === 0 ? 1 : LONGEST_STEP_BYTES)) yield readStep(reader);
      if (bytes === 0) return;
      kept = reader.remaining;
      buffer.copyWithin(0, reader.position, end);
    }
  } finally {
    disk.closeFile(file);
  }
}

function readStep(reader: ByteReader): Step {
  const kind = reader.u8() as Step["kind"];
  const type = reader.u8() as EntryType;
  const path = reader.longText();
  if (path === "" || !isSafePath(path)) throw new DecodeError("an unsafe path in the journal");
  const metadata = decodeMetadata(reader);
  const attributes = reader.flag() ? decodeAttributes(reader) : undefined;
  return { kind, type, path, metadata, attributes };
}
