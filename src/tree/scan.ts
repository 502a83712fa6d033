import fs from "node:fs";
import { DecodeError } from "../base/bytes.ts";
import { type FileStats, statDescriptor, statEntry } from "../sys/stat.ts";
import { type Entry, EntryType } from "../wire/entry.ts";
import type { DirectoryHeader } from "../wire/manifest.ts";
import { PATH_BYTES } from "../wire/limits.ts";
import type { Metadata } from "../wire/metadata.ts";
import { directoryOf, joinPath, nameOf, STAGING_NAME } from "../wire/path-rules.ts";
import { metadataOf, typeOf } from "./attributes.ts";
import type { Directories } from "./directories.ts";
import { bytesOfPath, entryPath } from "../sys/entry-path.ts";
import { errorCode } from "./directories.ts";
import { type Exclusion, isExcludedWithin } from "./excludes.ts";
import type { Owners } from "./owners.ts";
import type { ScanRequest, ScanRules } from "./request.ts";

/**
 * Walks the tree of a request and gives its entries one by one, directory by directory: all entries of a
 * directory stand together, and a directory stands before what is in it. Memory is bounded by the names of the
 * directories that are still to be read, not by the number of entries.
 */

/** Directories up to this many entries are sorted by name. */
const SORTED_ENTRIES = 20_000;

/** Times that fit into 64 bits of nanoseconds. */
const MOST_NS = 9_200_000_000_000_000_000n;

/** What the walk comes across. */
export type ScanItem =
  | { readonly kind: "entry"; readonly directory: DirectoryHeader; readonly entry: Entry }
  /** It cannot be read; the reason does not repeat the path. */
  | { readonly kind: "unreadable"; readonly path: string; readonly reason: string }
  /** It is something that is never sent; what is in it may be. */
  | {
      readonly kind: "skipped";
      readonly path: string;
      readonly reason: string;
      readonly isDirectory: boolean;
    }
  /** It was asked for by its path, and is left out all the same. */
  | { readonly kind: "excluded"; readonly path: string; readonly reason: string };

/** What the walk leaves out, and what it does to entries before it gives them. */
export interface ScannerRules extends Pick<ScanRules, "ownedBy" | "group"> {
  readonly isExcluded: Exclusion;
  /** Nothing is changed here either. */
  readonly dryRun: boolean;
}

export class Scanner {
  private readonly directories: Directories;
  private readonly owners: Owners;
  private readonly rules: ScannerRules;
  /** What went wrong with the last entry, though it is sent. */
  private problem: ScanItem | undefined;
  /** Directories on the way to a requested path that have been given already. */
  private readonly passages = new Set<string>();

  constructor(directories: Directories, owners: Owners, rules: ScannerRules) {
    this.directories = directories;
    this.owners = owners;
    this.rules = rules;
  }

  *scan(request: ScanRequest): Generator<ScanItem> {
    this.owners.refresh();
    for (const path of request.paths) {
      const isDirectory = path === "" ? true : yield* this.requested(path);
      if (isDirectory && request.recursive) yield* this.below(path);
    }
  }

  /** One requested path with the directories on its way; true for a directory. */
  private *requested(path: string): Generator<ScanItem, boolean> {
    if (isExcludedWithin(this.rules.isExcluded, path, this.isDirectory(path))) {
      yield { kind: "excluded", path, reason: "an exclude pattern fits it, or a directory on its way" };
      return false;
    }
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      yield* this.passage(path.slice(0, slash));
    }
    const header = { path: directoryOf(path), metadata: undefined };
    let item: ScanItem | undefined;
    try {
      item = this.look(this.directories.descriptor(header.path), header, nameOf(path));
    } catch (error) {
      item = { kind: "unreadable", path, reason: explain(error) };
    }
    item ??= { kind: "unreadable", path, reason: "there is no such file or directory" };
    yield* this.takeProblem();
    yield item;
    return isEntered(item);
  }

  private isDirectory(path: string): boolean {
    return this.lookAt(path)?.isDirectory() === true;
  }

  /** The stats of an entry by its path; undefined also where they cannot be had. */
  private lookAt(path: string): FileStats | undefined {
    try {
      return statEntry(this.directories.descriptor(directoryOf(path)), nameOf(path));
    } catch (error) {
      errorCode(error);
      return undefined;
    }
  }

  private *takeProblem(): Generator<ScanItem> {
    if (this.problem !== undefined) yield this.problem;
    this.problem = undefined;
  }

  /** The directories on the way to an entry that are not sent for themselves, because of their owner. */
  private *foreignWay(path: string): Generator<ScanItem> {
    for (let end = path.indexOf("/"); ; end = path.indexOf("/", end + 1)) {
      const way = end === -1 ? path : path.slice(0, end);
      if (way !== "" && this.isForeign(this.lookAt(way))) yield* this.passage(way);
      if (end === -1) return;
    }
  }

  private isForeign(stats: FileStats | undefined): boolean {
    const { ownedBy } = this.rules;
    return ownedBy !== undefined && stats !== undefined && stats.uid !== ownedBy;
  }

  private *passage(path: string): Generator<ScanItem> {
    if (this.passages.has(path)) return;
    const stats = this.lookAt(path);
    // Whatever is wrong on the way is said once, of the path that was asked for.
    if (stats?.isDirectory() !== true) return;
    if (this.passages.size < SORTED_ENTRIES) this.passages.add(path);
    const metadata = metadataOf(stats, this.owners);
    const entry = {
      type: EntryType.passage,
      name: nameOf(path),
      metadata,
      size: 0,
      target: "",
      extras: undefined,
    };
    yield { kind: "entry", directory: { path: directoryOf(path), metadata: undefined }, entry };
  }

  /** All that is below a directory. */
  private *below(top: string): Generator<ScanItem> {
    const pending = [top];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      const found: string[] = [];
      yield* this.directory(path, found);
      for (let index = found.length - 1; index >= 0; index--) pending.push(found[index] as string);
    }
  }

  /** The entries of one directory; the directories among them are added to `found`. */
  private *directory(path: string, found: string[]): Generator<ScanItem> {
    try {
      const descriptor = this.directories.descriptor(path);
      const stats = statDescriptor(descriptor);
      let isWayGiven = this.rules.ownedBy === undefined;
      const isSent = path !== "" && !this.isForeign(stats);
      const header = { path, metadata: isSent ? metadataOf(stats, this.owners) : undefined };
      for (const name of names(descriptor)) {
        if (path === "" && name === STAGING_NAME) continue;
        // Between two names, whoever takes the items may have used other directories.
        const item = this.look(this.directories.descriptor(path), header, name);
        if (item === undefined) continue;
        if (isEntered(item)) found.push(joinPath(path, name));
        if (item.kind === "entry" && !isWayGiven) {
          yield* this.foreignWay(path);
          isWayGiven = true;
        }
        if (this.problem !== undefined) yield* this.takeProblem();
        yield item;
      }
    } catch (error) {
      yield { kind: "unreadable", path, reason: explain(error) };
    }
  }

  private look(descriptor: number, directory: DirectoryHeader, name: string): ScanItem | undefined {
    const path = joinPath(directory.path, name);
    try {
      const stats = statEntry(descriptor, name);
      if (stats === undefined || this.rules.isExcluded(path, stats.isDirectory())) return undefined;
      if (path.length > PATH_BYTES) {
        return { kind: "unreadable", path, reason: `its path is longer than ${PATH_BYTES} bytes` };
      }
      if (stats.mtimeNs < -MOST_NS || stats.mtimeNs > MOST_NS) {
        return { kind: "unreadable", path, reason: "its time lies outside of the years 1678 to 2261" };
      }
      const type = typeOf(stats);
      if (type === undefined) {
        const reason = "it is neither a file nor a directory nor a symbolic link";
        return { kind: "skipped", path, reason, isDirectory: false };
      }
      if (this.isForeign(stats)) {
        const reason = "it does not belong to the daemon's user";
        return { kind: "skipped", path, reason, isDirectory: stats.isDirectory() };
      }
      const target = type === EntryType.symlink ? readTarget(descriptor, name) : "";
      const size = type === EntryType.file ? stats.size : 0;
      return {
        kind: "entry",
        directory,
        entry: {
          type,
          name,
          metadata: this.metadata(descriptor, path, stats),
          size,
          target,
          extras: undefined,
        },
      };
    } catch (error) {
      return { kind: "unreadable", path, reason: explain(error) };
    }
  }

  /** An entry's metadata, after it was given the wanted group; no link is followed. */
  private metadata(descriptor: number, path: string, stats: FileStats): Metadata {
    const { group, dryRun } = this.rules;
    if (group === undefined || stats.gid === group) return metadataOf(stats, this.owners);
    if (dryRun) return { ...metadataOf(stats, this.owners), group: this.owners.group(group) };
    try {
      fs.lchownSync(entryPath(descriptor, nameOf(path)), -1, group);
    } catch (error) {
      this.problem = { kind: "unreadable", path, reason: `its group cannot be changed: ${explain(error)}` };
    }
    // The kernel takes set-user-id and set-group-id away with that.
    return metadataOf(statEntry(descriptor, nameOf(path)) ?? stats, this.owners);
  }
}

/** Whether the walk goes on in it. */
function isEntered(item: ScanItem): boolean {
  return item.kind === "entry"
    ? item.entry.type === EntryType.directory
    : item.kind === "skipped" && item.isDirectory;
}

export function readTarget(directory: number, name: string): string {
  return fs.readlinkSync(entryPath(directory, name), { encoding: "buffer" }).toString("latin1");
}

/** The names in a directory: in order where it is not too large for that. */
function* names(descriptor: number): Generator<string> {
  const directory = fs.opendirSync(bytesOfPath(`/proc/self/fd/${descriptor}`), {
    encoding: "latin1",
    bufferSize: 256,
  });
  try {
    const first: string[] = [];
    let entry = directory.readSync();
    while (entry !== null && first.length < SORTED_ENTRIES) {
      first.push(entry.name);
      entry = directory.readSync();
    }
    yield* entry === null ? first.sort() : first;
    for (; entry !== null; entry = directory.readSync()) yield entry.name;
  } finally {
    directory.closeSync();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "the operation is not permitted",
  ENOENT: "there is no such file or directory",
  ENOTDIR: "a component of its path is not a directory, or a symbolic link, which is not followed",
  ELOOP: "it has become a symbolic link, which is not followed",
  ENOSPC: "no space left on the device",
  EDQUOT: "no space left: the disk quota is used up",
  EROFS: "the file system is read-only",
  EIO: "the disk reports an input/output error",
  EXDEV: "it is on another file system than the base directory",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the file system does not take so long a name",
};

/** What went wrong, in words. */
export function explain(error: unknown): string {
  if (error instanceof DecodeError) return `what is written there is damaged (${error.message})`;
  const code = errorCode(error);
  return REASONS[code] ?? `the system reports ${code}`;
}
