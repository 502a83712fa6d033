/** The list of the steps of a commit, on disk. */
import { ByteReader, ByteWriter, DecodeError } from "../../base/bytes.ts";
import { decodeAttributes, encodeAttributes, EntryType } from "../../wire/entry.ts";
import { isSafePath } from "../../wire/path-rules.ts";
import { ATTRIBUTE_BYTES, ATTRIBUTES, NAME_BYTES, PATH_BYTES } from "../../wire/limits.ts";
import { decodeMetadata, encodeMetadata, type Metadata, NO_METADATA } from "../../wire/metadata.ts";
import type { DirectoryHandle, Disk, FileHandle } from "../disk/disk.ts";
import { type DirectoryAttributes, type Step, StepKind } from "../decide/decision.ts";
import { HASH_BYTES, hashPath } from "../entries/path-set.ts";
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

/** Paths in one step of the kind `goes`: a few kilobytes, which the buffer has room for. */
const GOES_AT_ONCE = 512;

export class JournalWriter {
  private readonly disk: Disk;
  private readonly file: FileHandle;
  private readonly writer = new ByteWriter(BUFFER_BYTES);
  private writtenBytes = 0;
  private isOpen = true;
  /** Hashes of paths that go, which are not in the buffer yet. */
  private readonly going = new DataView(new ArrayBuffer(GOES_AT_ONCE * HASH_BYTES));
  private goingBytes = 0;

  /** Creates the file; it must not exist. */
  constructor(disk: Disk, directory: DirectoryHandle, name: string) {
    this.disk = disk;
    this.file = disk.makeFile(directory, name, 0o600);
  }

  add(kind: Step["kind"], type: EntryType, path: string, set: StepAttributes = NO_ATTRIBUTES): void {
    this.makeRoom();
    this.writer.u8(kind).u8(type).longText(path);
    encodeMetadata(this.writer, set.metadata ?? NO_METADATA);
    this.writer.u8(set.attributes === undefined ? 0 : 1);
    if (set.attributes !== undefined) encodeAttributes(this.writer, set.attributes);
  }

  addStep(step: Step): void {
    if (step.hashes !== undefined) this.addHashes(step.hashes);
    else this.add(step.kind, step.type, step.path, step);
  }

  /** Records that a path goes together with a directory above it. */
  addGoing(path: string): void {
    hashPath(path, this.going, this.goingBytes);
    this.goingBytes += HASH_BYTES;
    if (this.goingBytes === this.going.byteLength) this.addGathered();
  }

  /** Writes the buffer, so that added steps can be read. */
  flush(): void {
    this.addGathered();
    this.writeBuffer();
  }

  private addGathered(): void {
    const { goingBytes } = this;
    this.goingBytes = 0;
    if (goingBytes > 0) this.addHashes(new Uint8Array(this.going.buffer, 0, goingBytes));
  }

  private addHashes(hashes: Uint8Array): void {
    this.makeRoom();
    this.writer.u8(StepKind.goes).u16(hashes.length).raw(hashes);
  }

  private makeRoom(): void {
    if (this.writer.room < LONGEST_STEP_BYTES) this.writeBuffer();
  }

  private writeBuffer(): void {
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
  if (kind === StepKind.goes) return readGoing(reader);
  const type = reader.u8() as EntryType;
  const path = reader.longText();
  if (path === "" || !isSafePath(path)) throw new DecodeError("an unsafe path in the journal");
  const metadata = decodeMetadata(reader);
  const attributes = reader.flag() ? decodeAttributes(reader) : undefined;
  return { kind, type, path, metadata, attributes };
}

function readGoing(reader: ByteReader): Step {
  const bytes = reader.u16();
  if (bytes % HASH_BYTES !== 0) throw new DecodeError("a damaged list of paths in the journal");
  // A copy: the reader's bytes are overwritten by the next piece.
  const hashes = Uint8Array.from(reader.raw(bytes));
  const { directory } = EntryType;
  return {
    kind: StepKind.goes,
    type: directory,
    path: "",
    metadata: NO_METADATA,
    attributes: undefined,
    hashes,
  };
}
