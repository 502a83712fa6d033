/** Decides what is sent of one entry, and remembers files that have several names. */
import { type Reason, reason } from "../../base/reason.ts";
import type { FileStats } from "../../sys/stat.ts";
import { type Entry, type EntryExtras, EntryType, NO_EXTRAS } from "../../wire/entry.ts";
import { PATH_BYTES } from "../../wire/limits.ts";
import type { DirectoryHeader } from "../../wire/manifest.ts";
import type { Metadata } from "../../wire/metadata.ts";
import { joinPath } from "../../wire/path-rules.ts";
import { deviceOf, metadataOf, typeOf } from "../entries/attributes.ts";
import type { Directories } from "../disk/directories.ts";
import type { Exclusion } from "../../wire/excludes.ts";
import { explain, reasonFor } from "../reasons/explain.ts";
import { attributesOf, AttributesError } from "../entries/extended-attributes.ts";
import { allocatedBytes, isSparse } from "../entries/holes.ts";
import { isLostAndFound } from "../entries/lost-and-found.ts";
import type { Owners } from "../entries/owners.ts";
import type { ScanRules } from "./request.ts";

/** Times up to this one fit into 64 bits of nanoseconds. */
const MOST_NS = 9_200_000_000_000_000_000n;

/** Files with several names that are remembered, so that further names are sent as links: a bound on memory. */
const LINKED_FILES = 100_000;

/** An entry that is sent, with its directory. */
export interface FoundEntry {
  readonly kind: "entry";
  readonly directory: DirectoryHeader;
  readonly path: string;
  readonly entry: Entry;
  /** The stats of the entry; undefined for an entry with its name only. */
  readonly stats: FileStats | undefined;
}

/** The entry cannot be read; the reason does not repeat the path. */
export interface UnreadableEntry {
  readonly kind: "unreadable";
  readonly path: string;
  readonly reason: Reason;
}

/** The entry has a type that is never sent; entries in it may be sent. */
export interface SkippedEntry {
  readonly kind: "skipped";
  readonly path: string;
  readonly reason: Reason;
  readonly isDirectory: boolean;
}

/** An exclude pattern matches the entry, or it belongs to the file system. */
interface ExcludedEntry {
  readonly kind: "hidden";
  /** Whether it is a file system's lost+found. */
  readonly isOfFileSystem: boolean;
}

export type Look = FoundEntry | UnreadableEntry | SkippedEntry | ExcludedEntry;

export interface LookRules extends Pick<ScanRules, "ownedBy" | "group" | "groupOwner" | "sendsAttributes"> {
  readonly isExcluded: Exclusion;
  /** The sender does not change its own tree either. */
  readonly dryRun: boolean;
}

/** Looks at entries one after another, and decides what is sent of each. */
export class Lookout {
  private readonly directories: Directories;
  private readonly owners: Owners;
  private readonly rules: LookRules;
  /** The first path of each file that has several, by device and inode. */
  private readonly linkedFiles = new Map<string, string>();
  /** A problem with the last entry, which is sent anyway. */
  private problem: UnreadableEntry | undefined;

  /** Whether it has been said that further files with several names are not remembered. */
  private hasTold = false;
  private readonly mostLinkedFiles: number;

  /** @param mostLinkedFiles how many files with several names are remembered */
  constructor(
    directories: Directories,
    owners: Owners,
    rules: LookRules,
    mostLinkedFiles: number = LINKED_FILES,
  ) {
    this.mostLinkedFiles = mostLinkedFiles;
    this.directories = directories;
    this.owners = owners;
    this.rules = rules;
  }

  get hasProblem(): boolean {
    return this.problem !== undefined;
  }

  /** Takes the problem with the last entry, which is sent anyway. */
  takeProblem(): UnreadableEntry | undefined {
    const { problem } = this;
    this.problem = undefined;
    return problem;
  }

  isForeign(stats: FileStats | undefined): boolean {
    const { ownedBy } = this.rules;
    return ownedBy !== undefined && stats !== undefined && stats.uid !== ownedBy;
  }

  /** @returns undefined if there is no entry of that name */
  at(directory: DirectoryHeader, name: string): Look | undefined {
    const path = joinPath(directory.path, name);
    try {
      const stats = this.statIn(directory.path, name);
      if (stats === undefined) return undefined;
      if (this.isLostAndFound(directory.path, name, stats)) return { kind: "hidden", isOfFileSystem: true };
      if (this.rules.isExcluded(path, stats.isDirectory())) return { kind: "hidden", isOfFileSystem: false };
      return this.obstacle(path, stats) ?? this.found(directory, name, path, stats);
    } catch (error) {
      return { kind: "unreadable", path, reason: reasonFor(error) };
    }
  }

  /** Whether an entry is the lost+found of a file system. */
  isLostAndFound(directory: string, name: string, stats: FileStats): boolean {
    return isLostAndFound(name, stats, () => this.directories.statDirectory(directory));
  }

  /**
   * Why an entry that was asked for by its path is not sent, whatever else is; undefined if it is, or if nobody can say
   * before it is read.
   */
  whyNotSent(path: string): Reason | undefined {
    const stats = this.directories.stat(path);
    if (stats === undefined) return reason("ENOENT");
    return this.obstacle(path, stats)?.reason;
  }

  private obstacle(path: string, stats: FileStats): UnreadableEntry | SkippedEntry | undefined {
    if (path.length > PATH_BYTES) {
      return { kind: "unreadable", path, reason: reason("path-longer", undefined, PATH_BYTES) };
    }
    if (stats.mtimeNs < -MOST_NS || stats.mtimeNs > MOST_NS) {
      return { kind: "unreadable", path, reason: reason("time-out-of-range") };
    }
    if (typeOf(stats) === undefined) {
      return { kind: "skipped", path, reason: reason("socket"), isDirectory: false };
    }
    if (!this.isForeign(stats)) return undefined;
    return { kind: "skipped", path, reason: reason("other-owner"), isDirectory: stats.isDirectory() };
  }

  private found(directory: DirectoryHeader, name: string, path: string, before: FileStats): FoundEntry {
    const type = typeOf(before) ?? EntryType.file;
    const stats = this.regrouped(directory.path, name, before);
    const metadata = this.metadata(stats);
    const isFile = type === EntryType.file;
    const first = isFile && stats.links > 1 ? this.firstPath(path, stats) : path;
    if (first !== path) {
      const entry = { type: EntryType.hardLink, name, metadata, size: 0, target: first, extras: undefined };
      return { kind: "entry", directory, path, entry, stats };
    }
    const target = type === EntryType.symlink ? this.directories.readLink(directory.path, name) : "";
    const extras = this.withAttributes(directory.path, name, this.extrasOf(type, stats));
    const entry = { type, name, metadata, size: isFile ? stats.size : 0, target, extras };
    return { kind: "entry", directory, path, entry, stats };
  }

  private withAttributes(
    directory: string,
    name: string,
    extras: EntryExtras | undefined,
  ): EntryExtras | undefined {
    if (!this.rules.sendsAttributes) return extras;
    try {
      return { ...(extras ?? NO_EXTRAS), attributes: attributesOf(this.directories, directory, name) };
    } catch (error) {
      const why = error instanceof AttributesError ? error.message : explain(error);
      const path = joinPath(directory, name);
      this.problem = { kind: "unreadable", path, reason: reason("attributes-not-sent", undefined, why) };
      return extras;
    }
  }

  /** The first path at which this file was found. */
  private firstPath(path: string, stats: FileStats): string {
    const file = fileOf(stats);
    const known = this.linkedFiles.get(file);
    if (known !== undefined) return known;
    if (this.linkedFiles.size < this.mostLinkedFiles) this.linkedFiles.set(file, path);
    else this.tellForgotten(path);
    return path;
  }

  /** The entry at a path is not given, so the next name of its file is the first one. */
  forget(path: string, stats: FileStats): void {
    const file = fileOf(stats);
    if (this.linkedFiles.get(file) === path) this.linkedFiles.delete(file);
  }

  /** Once for each scan: what is true of this file is true of all that follow. */
  private tellForgotten(path: string): void {
    if (this.hasTold) return;
    this.hasTold = true;
    const why = reason("links-not-kept", undefined, this.mostLinkedFiles);
    this.problem = { kind: "unreadable", path, reason: why };
  }

  /** The stats of an entry, after it got the wanted group; no link is followed. */
  private regrouped(directory: string, name: string, stats: FileStats): FileStats {
    const { group, groupOwner, dryRun } = this.rules;
    if (group === undefined || stats.gid === group) return stats;
    if (!this.mayRegroup(stats)) {
      this.problem = groupProblem(joinPath(directory, name), "it does not belong to the user who asked");
      return stats;
    }
    if (dryRun) return stats;
    try {
      const { disk } = this.directories;
      disk.setGroup(this.directories.handle(directory), name, group, groupOwner);
    } catch (error) {
      this.problem = groupProblem(joinPath(directory, name), explain(error));
    }
    // A change of the group makes the kernel clear set-user-id and set-group-id.
    return this.directories.statIn(directory, name) ?? stats;
  }

  /** Whether the user who asked could change the group of an entry. */
  private mayRegroup({ uid }: FileStats): boolean {
    const { groupOwner } = this.rules;
    return groupOwner === undefined || uid === groupOwner;
  }

  private metadata(stats: FileStats): Metadata {
    const metadata = metadataOf(stats, this.owners);
    const { group, dryRun } = this.rules;
    const isToBe = dryRun && group !== undefined && this.mayRegroup(stats);
    return isToBe ? { ...metadata, group: this.owners.group(group) } : metadata;
  }

  private extrasOf(type: EntryType, stats: FileStats): EntryExtras | undefined {
    if (type === EntryType.characterDevice || type === EntryType.blockDevice) {
      return { ...NO_EXTRAS, device: deviceOf(stats) };
    }
    if (type !== EntryType.file) return undefined;
    const hasOtherNames = stats.links > 1;
    // In this order: few files have holes.
    const hasHoles = isSparse(stats) && this.directories.disk.canFindHoles;
    const allocated = hasHoles ? allocatedBytes(stats) : undefined;
    if (!hasOtherNames && allocated === undefined) return undefined;
    return { ...NO_EXTRAS, hasOtherNames, allocated };
  }

  /** The directory must exist: a missing directory is an error, not a missing entry. */
  private statIn(directory: string, name: string): FileStats | undefined {
    return this.directories.disk.stat(this.directories.handle(directory), name);
  }
}

function groupProblem(path: string, why: string): UnreadableEntry {
  return { kind: "unreadable", path, reason: reason("group-unchanged", undefined, why) };
}

/** Names a file, whatever its paths are. */
function fileOf({ device, inode }: FileStats): string {
  return `${device}:${inode}`;
}
