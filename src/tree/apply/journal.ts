/** The list of steps of a commit, on disk. */
import fs from "node:fs";
import { ByteReader, ByteWriter, DecodeError } from "../../base/bytes.ts";
import { type Attribute, decodeAttributes, encodeAttributes, type EntryType } from "../../wire/entry.ts";
import { isSafePath } from "../../wire/path-rules.ts";
import { ATTRIBUTE_BYTES, ATTRIBUTES, NAME_BYTES, PATH_BYTES } from "../../wire/limits.ts";
import { decodeMetadata, encodeMetadata, type Metadata, NO_METADATA } from "../../wire/metadata.ts";

/**
 * The list of steps that a commit will take, on disk, so that it can be finished after a crash. It is written
 * while the transfer is staged and grows with it; memory holds only a buffer. Each step may be carried out twice.
 */

/** `place`: move what is staged to its place. `adjust`: set the attributes of a directory that was there before.
 * `finish`: set those of a directory that is staged, when all is in it. `remove`: delete what is there, with all below it. */
export const StepKind = { place: 1, adjust: 2, finish: 3, remove: 4 } as const;

export interface Step {
  readonly kind: (typeof StepKind)[keyof typeof StepKind];
  readonly type: EntryType;
  readonly path: string;
  readonly metadata: Metadata;
  /** Extended attributes; undefined where they are left as they are. */
  readonly attributes: readonly Attribute[] | undefined;
}

/** What a step sets of a directory. */
interface DirectoryAttributes {
  readonly metadata: Metadata | undefined;
  readonly attributes?: readonly Attribute[] | undefined;
}

const NO_ATTRIBUTES: DirectoryAttributes = { metadata: undefined };

const BUFFER_BYTES = 128 * 1024;
const LONGEST_STEP_BYTES =
  2 + 2 + PATH_BYTES + 2 + 8 + 2 * (4 + 1 + 255) + 2 + ATTRIBUTES * (1 + NAME_BYTES + 2) + ATTRIBUTE_BYTES;

export class JournalWriter {
  private readonly descriptor: number;
  private readonly writer = new ByteWriter(BUFFER_BYTES);
  private isOpen = true;

  constructor(path: Buffer) {
    this.descriptor = fs.openSync(path, "wx", 0o600);
  }

  add(kind: Step["kind"], type: EntryType, path: string, set: DirectoryAttributes = NO_ATTRIBUTES): void {
    if (this.writer.room < LONGEST_STEP_BYTES) this.flush();
    this.writer.u8(kind).u8(type).longText(path);
    encodeMetadata(this.writer, set.metadata ?? NO_METADATA);
    this.writer.u8(set.attributes === undefined ? 0 : 1);
    if (set.attributes !== undefined) encodeAttributes(this.writer, set.attributes);
  }

  addStep(step: Step): void {
    this.add(step.kind, step.type, step.path, step);
  }

  /** Makes what was added readable. */
  flush(): void {
    for (let written = 0; written < this.writer.position;) {
      written += fs.writeSync(this.descriptor, this.writer.bytes, written, this.writer.position - written);
    }
    this.writer.position = 0;
  }

  /** Makes it durable and ends it. */
  finish(): void {
    this.flush();
    fs.fsyncSync(this.descriptor);
    this.close();
  }

  /** Ends it in any case; what is ended already stays so. */
  close(): void {
    if (this.isOpen) fs.closeSync(this.descriptor);
    this.isOpen = false;
  }
}

/** The steps of a journal in their order, read piece by piece. */
export function* readJournal(path: Buffer): Generator<Step> {
  const descriptor = fs.openSync(path, "r");
  const buffer = Buffer.alloc(BUFFER_BYTES + LONGEST_STEP_BYTES);
  try {
    let kept = 0;
    for (;;) {
      const bytes = fs.readSync(descriptor, buffer, kept, BUFFER_BYTES, null);
      const end = kept + bytes;
      const reader = new ByteReader(buffer.subarray(0, end));
      while (reader.remaining >= (bytes === 0 ? 1 : LONGEST_STEP_BYTES)) yield readStep(reader);
      if (bytes === 0) return;
      kept = reader.remaining;
      buffer.copyWithin(0, reader.position, end);
    }
  } finally {
    fs.closeSync(descriptor);
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
