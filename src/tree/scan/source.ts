/** The sending side: manifest blocks, and the data that members want. */
import type { Reason } from "../../base/reason.ts";
import { bytesOfText } from "../../base/display.ts";
import { UserError } from "../../base/user-error.ts";
import { BlockKind } from "../../wire/datagram.ts";
import { EntryType } from "../../wire/entry.ts";
import { ManifestWriter } from "../../wire/manifest.ts";
import { pathsBelowBase } from "../../wire/request-paths.ts";
import { Cover } from "./cover.ts";
import { DigestedEntries } from "./digested-entries.ts";
import { Directories } from "../disk/directories.ts";
import type { Disk } from "../disk/disk.ts";
import { linuxDisk } from "../disk/linux-disk.ts";
import { compileExcludes } from "../../wire/excludes.ts";
import { HeldEntries, type HeldEntry, NO_ENTRIES } from "./held-entry.ts";
import { ChunkTags } from "../entries/chunk-tags.ts";
import type { CompressionMode } from "../entries/compression.ts";
import { type Owners } from "../entries/owners.ts";
import { PublishedList } from "../entries/published-list.ts";
import type { Deviations, Withheld } from "./deviations.ts";
import { Published } from "./published.ts";
import type { NetworkPace } from "./network-pace.ts";
import { Packer } from "./packer.ts";
import type { PublishedPaths } from "./published-paths.ts";
import { existingOrigin, pathsOf, prefaceOf } from "./preface.ts";
import { type ScanRequest, type ScanRules, coveredPaths, simplifyRequest } from "./request.ts";
import { named, Scanner, type ScanItem } from "./scan.ts";
import { divided, type SettledWants } from "./settled-wants.ts";
import { ToldChunks, type WantedFile } from "./told-chunks.ts";
import { type HeldFile, ToldDigests } from "./told-digests.ts";
import { WantedFiles } from "./wanted-files.ts";

/**
 * The sending side of a transfer on its disk: it turns the tree into manifest blocks, and the wanted files into data
 * blocks. Manifest blocks are a few ahead of the data, so that memory is bounded however large the tree is.
 */

/** Manifest blocks whose entries are held: not yet settled, or with files still to be read. A bound on memory. */
const MANIFESTS_HELD = 12;

/** A message for the user: an entry that is not sent, and why. */
export interface SourceNotice {
  readonly kind: "unreadable" | "skipped" | "excluded";
  readonly path: string;
  readonly reason: Reason;
}

export interface SourceOptions {
  readonly rules: ScanRules;
  /** Contents are not read. */
  readonly dryRun: boolean;
  /** Whether contents are compressed; by default never. */
  readonly compression?: CompressionMode;
  /** What the transfers before have shown of the network; by default nothing. */
  readonly pace?: NetworkPace;
  /** Whether members that delete may ask for digests of files that they have by other names; by default they may not. */
  readonly tellsDigests?: boolean;
  /** Whether the sender tells chunks of large files that members have in another version; by default they are not. */
  readonly tellsChunks?: boolean;
  /** Whether files with holes are compared by digests of their data alone. */
  readonly digestsData?: boolean;
}

const NOTHING = {
  ...{ withheld: 0, sample: "", withheldLists: [] as string[] },
  ...{ added: 0, addedSample: "", addedLists: [] as string[] },
};

export interface MadeBlock {
  readonly kind: (typeof BlockKind)[keyof typeof BlockKind];
  readonly bytes: number;
  readonly entries: number;
}

export class Source {
  private readonly directories: Directories;
  private readonly items: Generator<ScanItem>;
  private readonly dryRun: boolean;
  /** Members delete entries that this transfer does not name. */
  private readonly isListing: boolean;
  private readonly digests: DigestedEntries | undefined;
  /** Adds the records before all entries, one after another; each function returns false if the block is full. */
  private readonly preface: ((writer: ManifestWriter) => boolean)[];
  private pendingItem: ScanItem | undefined;
  private isScanned = false;
  private nextEntry = 0;
  private readonly held = new Map<number, HeldEntries>();
  /** How many files of a manifest block are still to be read, or may be. */
  private readonly unfinished = new Map<number, number>();
  private readonly wanted: WantedFiles;
  private readonly told: ToldDigests;
  private readonly tellsDigests: boolean;
  private readonly chunks: ToldChunks;
  private readonly notices: SourceNotice[] = [];
  /** The entries that may be handed on; undefined if all may. */
  readonly published: Published | undefined;
  /** Records what this transfer publishes. */
  private readonly list: PublishedList | undefined;
  /** What the manifest blocks say so far. */
  readonly cover = new Cover();
  /** The paths of the publication in the manifest; undefined if it is to have none. */
  readonly toldPaths: readonly string[] | undefined;
  unreadable = 0;
  /** A file is being read for its digest: no block could be made, but more will come. */
  isBusy = false;
  /** The entries announced and sent, for the result. */
  readonly totals = { entries: 0, wantedBytes: 0, sentEntries: 0, sentBytes: 0, savedBytes: 0 };

  /**
   * @param device of the base directory when it was first seen; undefined if that is not known
   * @throws UserError for an invalid request or invalid rules
   */
  constructor(
    base: string,
    owners: Owners,
    request: ScanRequest,
    options: SourceOptions,
    device?: number,
    disk: Disk = linuxDisk,
  ) {
    const { rules, dryRun, compression = "no", digestsData = false } = options;
    const [tellsDigests, tellsChunks] = [options.tellsDigests, options.tellsChunks].map(
      (tells) => tells === true && !dryRun && !rules.isCheck,
    ) as [boolean, boolean];
    const baseText = Buffer.from(base).toString("latin1");
    const isExcluded = compileExcludes(rules.excludes, baseText);
    this.directories = Directories.at(disk, base);
    this.dryRun = dryRun;
    this.isListing = rules.deletes !== "nothing";
    if (device !== undefined) this.checkDevice(base, rules, device);
    this.digests = rules.comparesContents ? new DigestedEntries(this.directories, digestsData) : undefined;
    this.told = new ToldDigests(this.directories);
    this.tellsDigests = tellsDigests;
    const tags = tellsChunks ? ChunkTags.make() : undefined;
    this.chunks = new ToldChunks(this.directories, tags);
    const scanner = new Scanner(this.directories, owners, { ...rules, isExcluded, dryRun });
    const hasEntry = (name: string) => this.directories.stat(name) !== undefined;
    const below = { ...request, paths: pathsBelowBase(request.paths, baseText, hasEntry) };
    const simple = simplifyRequest(below);
    const items = scanner.scan(simple, coveredPaths(below, simple));
    const origin = existingOrigin(this.directories, rules, isExcluded);
    if (rules.origin?.kind === "publication") this.toldPaths = pathsOf(origin);
    const told = { base: baseText, origin, tellsDigests, chunkKey: tags?.key, hasFormer: !digestsData };
    this.preface = prefaceOf(rules, told);
    this.list = rules.isRecorded === true ? new PublishedList() : undefined;
    this.published =
      rules.published === undefined
        ? undefined
        : new Published(rules.published, this.isListing, (item) => scanner.forget(item));
    this.items = this.published?.of(items) ?? items;
    const onEnd = (file: WantedFile, failure: Reason | undefined) => this.finish(file, failure);
    this.wanted = new WantedFiles(this.directories, tags, new Packer(compression, options.pace), onEnd);
  }

  /**
   * Makes the next block.
   *
   * @param number the block's number in the transfer
   * @param memory for its plaintext
   * @param waitingBlocks blocks that were made and not yet sent: whether compressing is worth it
   * @returns undefined if there is nothing to send, for now or at all
   * @throws UserError if the tree looks so wrong that nothing should be deleted because of it
   */
  makeBlock(number: number, memory: Uint8Array, waitingBlocks = 0): MadeBlock | undefined {
    return (
      this.makeManifest(number, memory) ??
      this.makeDigests(number, memory) ??
      this.makeChunks(number, memory) ??
      this.makeData(memory, waitingBlocks)
    );
  }

  get isEnded(): boolean {
    return this.isScanned && this.held.size === 0 && this.wanted.isIdle;
  }

  /**
   * Accepts the answers for a manifest block, and returns all its entries for the report; none for a block of digests or chunks.
   */
  settle(manifest: number, wants: SettledWants): HeldEntries {
    const told = this.told.takeSettled(manifest);
    if (told !== undefined) {
      for (const [index, file] of told.entries()) {
        if (!wants.union.get(index)) this.release(file.manifest);
        else if (this.chunks.suits(file.entry)) this.wantChunks(file);
        else this.want(file);
      }
      return NO_ENTRIES;
    }
    const before = this.chunks.foundBytes;
    if (this.chunks.settle(manifest, wants.union, (part) => this.wanted.add(part))) {
      this.noteFound(this.chunks.foundBytes - before);
      return NO_ENTRIES;
    }
    const entries = this.held.get(manifest) ?? NO_ENTRIES;
    const tells = (what: "digest" | "chunks", entry: HeldEntry) =>
      what === "digest" ? this.tellsDigests : this.chunks.suits(entry);
    const { contents, elsewhere, other } = divided(entries, wants, tells);
    this.totals.sentEntries += wants.union.count();
    if (this.dryRun) for (const { size } of contents) this.totals.wantedBytes += size;
    const count = this.dryRun ? 0 : contents.length + elsewhere.length + other.length;
    if (count === 0) {
      this.held.delete(manifest);
      return entries;
    }
    this.unfinished.set(manifest, count);
    for (const entry of contents) this.want({ entry, manifest });
    this.told.add(elsewhere.map((entry) => ({ entry, manifest })));
    for (const entry of other) this.wantChunks({ entry, manifest });
    return entries;
  }

  /** The entries that were published and cannot be handed on: how many, one of them, and the lists that they are in. */
  get withheld(): Withheld | undefined {
    const { published } = this;
    if (published === undefined || published.withheld === 0) return undefined;
    const { withheld: count, sample, withheldLists, torn } = published;
    return { count, sample, lists: [...withheldLists], torn };
  }

  /** What is not as published in this tree: what cannot be handed on, and what was added to complete directories. */
  get drift(): Deviations {
    const { withheld, sample, withheldLists, added, addedSample, addedLists } = this.published ?? NOTHING;
    const lists = [...new Set([...withheldLists, ...addedLists])];
    return { count: withheld + added, sample: sample === "" ? addedSample : sample, lists };
  }

  /** A later publication has taken effect here, so that its paths need not be handed on. */
  supersede(list: PublishedPaths): void {
    this.published?.supersede(list);
  }

  /** The list of what was published, when all is sent; undefined if there is none. */
  takeList(): Uint8Array | undefined {
    return this.list?.finish();
  }

  takeNotices(): SourceNotice[] {
    return this.notices.splice(0);
  }

  close(): void {
    this.items.return(undefined);
    this.wanted.close();
    this.digests?.close();
    this.told.close();
    this.chunks.close();
    this.directories.close();
  }

  private checkDevice(base: string, rules: ScanRules, device: number): void {
    if (rules.deletes === "nothing" && !rules.syncs) return;
    if (rules.isForced || this.directories.statDirectory("").device === device) return;
    this.directories.close();
    throw new UserError(
      `the base directory ${bytesOfText(base)} is not on the file system that it was on when the daemon began to use it: ` +
        "is something not mounted? Add --force-delete if that is what you want",
    );
  }

  private wantChunks(file: HeldFile): void {
    this.totals.wantedBytes += file.entry.size;
    this.chunks.add(file);
  }

  /** Chunks that members have count as sent, and as kept off the network. */
  private noteFound(bytes: number): void {
    this.totals.sentBytes += bytes;
    this.totals.savedBytes += bytes;
  }

  private want(file: HeldFile): void {
    this.totals.wantedBytes += file.entry.size;
    this.wanted.add(file);
  }

  /** One file less of a manifest block has to be read. */
  private release(manifest: number): void {
    const left = (this.unfinished.get(manifest) ?? 1) - 1;
    if (left > 0) {
      this.unfinished.set(manifest, left);
      return;
    }
    this.unfinished.delete(manifest);
    this.held.delete(manifest);
  }

  private makeManifest(number: number, memory: Uint8Array): MadeBlock | undefined {
    this.isBusy = false;
    if (this.isScanned || this.held.size >= MANIFESTS_HELD) return undefined;
    const writer = new ManifestWriter(memory, this.nextEntry);
    while (this.preface[0]?.(writer) === true) this.preface.shift();
    const entries = new HeldEntries(this.nextEntry);
    while (this.preface.length === 0 && this.addNext(writer, entries));
    if (writer.isEmpty) return undefined;
    if (entries.length > 0) this.held.set(number, entries);
    this.totals.entries += entries.length;
    return { kind: BlockKind.manifest, bytes: writer.finish().length, entries: entries.length };
  }

  /** Adds the next item; false if the block is full, or if the tree is at its end. */
  private addNext(writer: ManifestWriter, entries: HeldEntries): boolean {
    const item = this.nextItem();
    if (item === undefined) return false;
    if (item.kind === "complete") {
      if (!writer.addComplete(item.directory)) return this.putBack(item);
      this.cover.noteComplete(item.directory.path);
      this.list?.noteComplete(item.directory.path);
      return true;
    }
    if (item.kind !== "entry") {
      this.note(item);
      return true;
    }
    const { directory, entry, stats } = item;
    if (!writer.add(directory, entry)) return this.putBack(item);
    const { type, name } = entry;
    this.cover.noteEntry(directory.path, name, type);
    this.list?.noteEntry(directory.path, name, type, entry);
    entries.add(directory.path, entry, stats);
    this.nextEntry++;
    return true;
  }

  private putBack(item: ScanItem): false {
    this.pendingItem = item;
    return false;
  }

  private nextItem(): ScanItem | undefined {
    const item = this.pendingItem ?? this.nextOfScan();
    this.pendingItem = undefined;
    if (item?.kind !== "entry" || this.digests === undefined || item.entry.extras?.digest !== undefined)
      return item;
    const digested = this.digests.step(item);
    if (digested === undefined) {
      this.isBusy = true;
      this.putBack(item);
      return undefined;
    }
    if (!("failure" in digested)) return digested;
    // The entry exists on the sender anyway, so no member may delete it.
    if (this.isListing) this.putBack(named(EntryType.kept, item.directory, item.entry.name));
    return { kind: "unreadable", path: digested.path, reason: digested.failure };
  }

  private nextOfScan(): ScanItem | undefined {
    const next = this.items.next();
    if (next.done !== true) return next.value;
    this.isScanned = true;
    return undefined;
  }

  /** Tells digests of files that all members may have by other names. Those that cannot be read are withdrawn, like others. */
  private makeDigests(number: number, memory: Uint8Array): MadeBlock | undefined {
    const writer = new ManifestWriter(memory, this.nextEntry);
    this.told.fill(number, writer, (file) => this.want(file));
    this.isBusy ||= this.told.isBusy;
    if (writer.isEmpty) return undefined;
    return { kind: BlockKind.manifest, bytes: writer.finish().length, entries: writer.entries };
  }

  /** Tells chunks of large files that all members have in another version. */
  private makeChunks(number: number, memory: Uint8Array): MadeBlock | undefined {
    const writer = new ManifestWriter(memory, this.nextEntry);
    this.chunks.fill(number, writer, this.wanted.contentBytes, (part) => this.wanted.add(part));
    this.isBusy ||= this.chunks.isBusy;
    if (writer.isEmpty) return undefined;
    return { kind: BlockKind.manifest, bytes: writer.finish().length, entries: writer.entries };
  }

  private makeData(memory: Uint8Array, waitingBlocks: number): MadeBlock | undefined {
    const made = this.wanted.makeBlock(memory, waitingBlocks);
    this.isBusy ||= this.wanted.hasOnlySkipped;
    if (made === undefined) return undefined;
    this.totals.sentBytes += made.bytes + made.savedBytes;
    this.totals.savedBytes += made.savedBytes;
    return made;
  }

  /** A file or a part of one has been read. */
  private finish(finished: WantedFile, failure: Reason | undefined): void {
    if (failure !== undefined) {
      this.list?.withdraw(finished.entry.number);
      this.published?.withdraw(finished.entry.path);
      this.note({ kind: "unreadable", path: finished.entry.path, reason: failure });
    }
    this.releaseIfLast(finished);
  }

  private releaseIfLast({ entry, manifest, part }: WantedFile): void {
    if (part === undefined || part.end === entry.size) this.release(manifest);
  }

  private note(notice: SourceNotice): void {
    this.notices.push({ kind: notice.kind, path: notice.path, reason: notice.reason });
    // Only a path that was asked for by its name is said to be excluded.
    if (notice.kind !== "skipped") this.unreadable++;
  }
}
