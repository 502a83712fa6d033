import { Bitmap } from "../../src/base/bitmap.ts";
import type { Input, ProducedBlock, StageOutcome } from "../../src/engine/types.ts";
import { openBlock, sealBlock } from "../../src/net/block-sealing.ts";
import { unpack } from "../../src/tree/entries/compression.ts";
import { BLOCK_PLAINTEXT_BYTES, BlockKind } from "../../src/wire/datagram.ts";
import { DataWriter, SegmentKind, segmentsOf } from "../../src/wire/data-block.ts";
import { TAG_BYTES } from "../../src/wire/limits.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { decodeManifest, ManifestWriter } from "../../src/wire/manifest.ts";

/** Both sides of a transfer on a disk that is a Map: real blocks, really sealed. */

const METADATA = { mode: 0o644, mtimeNs: 1n, user: { id: 0, name: "" }, group: { id: 0, name: "" } };
const ROOT = { path: "", metadata: undefined };

/** Contents by name, all in the base directory. */
export type Tree = Map<string, Uint8Array>;

interface SealedBlock {
  readonly kind: ProducedBlock["kind"];
  readonly bytes: Buffer;
}

/** What is sent: one manifest block, then the contents. */
export class MemorySource {
  readonly blocks: SealedBlock[] = [];
  private readonly key: Buffer;
  private readonly transfer: number;
  private readonly tree: Tree;
  private pieces: { readonly entry: number; readonly offset: number }[] = [];
  private isSettled = false;

  constructor(key: Buffer, transfer: number, tree: Tree) {
    this.key = key;
    this.transfer = transfer;
    this.tree = tree;
  }

  produce(count: number): Extract<Input, { kind: "produced" }> {
    const blocks: ProducedBlock[] = [];
    if (this.blocks.length === 0) blocks.push(this.makeManifest());
    else while (this.pieces.length > 0 && blocks.length < count) blocks.push(this.makeData());
    const state = !this.isSettled ? "idle" : this.pieces.length > 0 ? "more" : "end";
    return { kind: "produced", transfer: this.transfer, blocks, state, failure: undefined, unreadable: 0 };
  }

  settle(union: Bitmap): void {
    this.isSettled = true;
    [...this.tree.values()].forEach((content, entry) => {
      const most = BLOCK_PLAINTEXT_BYTES - 100;
      for (let offset = 0; union.get(entry) && offset < content.length; offset += most) {
        this.pieces.push({ entry, offset });
      }
    });
  }

  private makeManifest(): ProducedBlock {
    const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 0);
    for (const [name, { length: size }] of this.tree) {
      writer.add(ROOT, {
        type: EntryType.file,
        name,
        metadata: METADATA,
        size,
        target: "",
        extras: undefined,
      });
    }
    return { ...this.seal(BlockKind.manifest, writer.finish()), entries: writer.entries };
  }

  private makeData(): ProducedBlock {
    const writer = new DataWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES));
    const { entry, offset } = this.pieces.shift()!;
    const content = [...this.tree.values()][entry]!.subarray(offset, offset + BLOCK_PLAINTEXT_BYTES - 100);
    writer.contentSpace(content.length).set(content);
    writer.addContent(entry, offset, content.length);
    return { ...this.seal(BlockKind.data, writer.finish()), entries: 0 };
  }

  private seal(
    kind: ProducedBlock["kind"],
    plaintext: Uint8Array,
  ): { kind: typeof kind; sealedBytes: number } {
    const bytes = Buffer.concat([plaintext, Buffer.alloc(TAG_BYTES)]);
    sealBlock(this.key, this.transfer, this.blocks.length, kind, bytes);
    this.blocks.push({ kind, bytes });
    return { kind, sealedBytes: bytes.length };
  }
}

const NOTHING_MORE = { differences: undefined, findings: 0 } as const;

/** What is received, until it becomes the tree. */
export class MemoryStage {
  private readonly key: Buffer;
  private readonly transfer: number;
  private readonly files: { readonly name: string; readonly content: Uint8Array; missingBytes: number }[] =
    [];
  /** Blocks that did not open. */
  corrupt = 0;
  staged = 0;

  constructor(key: Buffer, transfer: number) {
    this.key = key;
    this.transfer = transfer;
  }

  stage(block: number, kind: number, sealed: Uint8Array): StageOutcome {
    const plaintext =
      sealed.length > TAG_BYTES ? openBlock(this.key, this.transfer, block, kind, sealed) : undefined;
    if (plaintext === undefined) {
      this.corrupt++;
      return { kind: "corrupt" };
    }
    this.staged++;
    if (kind === BlockKind.manifest) return { kind: "staged", wants: this.plan(plaintext), ...NOTHING_MORE };
    for (const segment of segmentsOf(plaintext, unpack)) {
      const file = this.files[segment.entry];
      if (file === undefined || segment.kind !== SegmentKind.content) continue;
      file.content.set(segment.bytes, segment.offset);
      file.missingBytes -= segment.bytes.length;
    }
    return { kind: "staged", wants: undefined, ...NOTHING_MORE };
  }

  get isComplete(): boolean {
    return this.files.length > 0 && this.files.every((file) => file.missingBytes === 0);
  }

  commit(tree: Tree): void {
    for (const { name, content } of this.files) tree.set(name, content);
  }

  /** Everything is wanted. */
  private plan(plaintext: Uint8Array): Bitmap {
    const entries = decodeManifest(plaintext).directories.flatMap((directory) => directory.entries);
    for (const { name, size } of entries) {
      this.files.push({ name, content: new Uint8Array(size), missingBytes: size });
    }
    const wants = new Bitmap(entries.length);
    entries.forEach((_, index) => wants.set(index));
    return wants;
  }
}
