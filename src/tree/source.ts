import fs from "node:fs";
import type { Bitmap } from "../base/bitmap.ts";
import { BlockKind } from "../wire/datagram.ts";
import { DataWriter } from "../wire/data-block.ts";
import { EntryType } from "../wire/entry.ts";
import { ManifestWriter } from "../wire/manifest.ts";
import { joinPath } from "../wire/path-rules.ts";
import { Directories } from "./directories.ts";
import { compileExcludes } from "./excludes.ts";
import { FileReader } from "./file-reader.ts";
import { type Owners } from "./owners.ts";
import { type ScanRequest, type ScanRules, simplifyRequest } from "./request.ts";
import { Scanner, type ScanItem } from "./scan.ts";

/**
 * The sending side of a transfer on its disk: turns the tree into manifest blocks, and what is wanted of it into
 * data blocks. Manifest blocks run a few ahead of the data, so that memory is bounded however large the tree is.
 */

/** Manifest blocks whose entries are held: not yet settled, or with files still to be read. */
const MANIFESTS_HELD = 12;

/** An entry that was announced and may have to be read. */
export interface HeldEntry {
  readonly number: number;
  readonly path: string;
  readonly type: EntryType;
  readonly size: number;
  readonly mtimeNs: bigint;
}

/** What somebody should be told: an entry that is not sent, and why. */
export interface SourceNotice {
  readonly kind: "unreadable" | "skipped" | "excluded";
  readonly path: string;
  readonly reason: string;
}

export interface SourceOptions {
  readonly rules: ScanRules;
  /** Contents are not read. */
  readonly dryRun: boolean;
}

export interface MadeBlock {
  readonly kind: (typeof BlockKind)[keyof typeof BlockKind];
  readonly bytes: number;
  readonly entries: number;
}

export class Source {
  private readonly directories: Directories;
  private readonly items: Generator<ScanItem>;
  private readonly dryRun: boolean;
  private pendingItem: ScanItem | undefined;
  private isScanned = false;
  private nextEntry = 0;
  private readonly held = new Map<number, HeldEntry[]>();
  private readonly wanted: { entry: HeldEntry; manifest: number; isLast: boolean }[] = [];
  private readonly reader: FileReader;
  private readonly notices: SourceNotice[] = [];
  unreadable = 0;
  /** What was announced and what is sent, for the result. */
  readonly totals = { entries: 0, wantedBytes: 0, sentEntries: 0, sentBytes: 0 };

  constructor(base: string, owners: Owners, request: ScanRequest, options: SourceOptions) {
    this.directories = new Directories(base);
    this.dryRun = options.dryRun;
    const isExcluded = compileExcludes(options.rules.excludes, Buffer.from(base).toString("latin1"));
    const { ownedBy, group } = options.rules;
    const scanner = new Scanner(this.directories, owners, {
      isExcluded,
      ownedBy,
      group,
      dryRun: options.dryRun,
    });
    this.items = scanner.scan(simplifyRequest(request));
    this.reader = new FileReader(this.directories);
  }

  /**
   * Makes the next block.
   *
   * @param number the block's number in the transfer
   * @param memory where its plaintext goes
   * @returns undefined when there is nothing to send, for now or at all
   */
  makeBlock(number: number, memory: Uint8Array): MadeBlock | undefined {
    return this.makeManifest(number, memory) ?? this.makeData(memory);
  }

  get isEnded(): boolean {
    return this.isScanned && this.held.size === 0 && !this.reader.isReading;
  }

  /** Takes over which entries of a manifest block are wanted, and gives all its entries for the report. */
  settle(manifest: number, union: Bitmap): readonly HeldEntry[] {
    const entries = this.held.get(manifest) ?? [];
    const files = entries.filter(
      (entry, index) => union.get(index) && entry.type === EntryType.file && entry.size > 0,
    );
    this.totals.sentEntries += union.count();
    for (const file of files) this.totals.wantedBytes += file.size;
    if (this.dryRun) {
      this.held.delete(manifest);
      return entries;
    }
    files.forEach((entry, index) =>
      this.wanted.push({ entry, manifest, isLast: index === files.length - 1 }),
    );
    if (files.length === 0) this.held.delete(manifest);
    return entries;
  }

  takeNotices(): SourceNotice[] {
    return this.notices.splice(0);
  }

  close(): void {
    this.items.return(undefined);
    this.reader.close();
    this.directories.close();
  }

  private makeManifest(number: number, memory: Uint8Array): MadeBlock | undefined {
    if (this.isScanned || this.held.size >= MANIFESTS_HELD) return undefined;
    const writer = new ManifestWriter(memory, this.nextEntry);
    const entries: HeldEntry[] = [];
    for (let item = this.nextItem(); item !== undefined; item = this.nextItem()) {
      if (item.kind !== "entry") this.note(item);
      else if (!writer.add(item.directory, item.entry)) {
        this.pendingItem = item;
        break;
      } else {
        const { type, size, name, metadata } = item.entry;
        const path = joinPath(item.directory.path, name);
        entries.push({ number: this.nextEntry++, path, type, size, mtimeNs: metadata.mtimeNs });
      }
    }
    if (entries.length === 0) return undefined;
    this.held.set(number, entries);
    this.totals.entries += entries.length;
    return { kind: BlockKind.manifest, bytes: writer.finish().length, entries: entries.length };
  }

  private nextItem(): ScanItem | undefined {
    const pending = this.pendingItem;
    if (pending !== undefined) {
      this.pendingItem = undefined;
      return pending;
    }
    const next = this.items.next();
    if (next.done === true) {
      this.isScanned = true;
      return undefined;
    }
    return next.value;
  }

  private makeData(memory: Uint8Array): MadeBlock | undefined {
    const writer = new DataWriter(memory);
    while (this.reader.isReading || this.wanted.length > 0) {
      if (!this.reader.isReading) this.startNext();
      if (!this.reader.fill(writer)) break;
      this.finishFile();
    }
    if (writer.isEmpty) return undefined;
    const bytes = writer.finish().length;
    this.totals.sentBytes += bytes;
    return { kind: BlockKind.data, bytes, entries: 0 };
  }

  private startNext(): void {
    const next = this.wanted[0];
    if (next !== undefined) this.reader.start(next.entry);
  }

  private finishFile(): void {
    const finished = this.wanted.shift();
    if (finished === undefined) return;
    if (this.reader.failure !== undefined) {
      this.note({ kind: "unreadable", path: finished.entry.path, reason: this.reader.failure });
    }
    if (finished.isLast) this.held.delete(finished.manifest);
  }

  private note(notice: SourceNotice): void {
    this.notices.push({ kind: notice.kind, path: notice.path, reason: notice.reason });
    if (notice.kind === "unreadable") this.unreadable++;
  }
}

/** Checks that a base directory is there, with a sentence for whoever asked. */
export function baseDirectoryProblem(base: string): string | undefined {
  try {
    return fs.statSync(base).isDirectory() ? undefined : `the base directory ${base} is not a directory`;
  } catch {
    return `the base directory ${base} is missing`;
  }
}
