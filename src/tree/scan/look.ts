/** What is to be sent of one entry; remembers files that have several names. */
import { type Reason, reason } from "../../base/reason.ts";
import type { FileStats } from "../../sys/stat.ts";
import { type Entry, type EntryExtras, EntryType, NO_EXTRAS } from "../../wire/entry.ts";
import { PATH_BYTES } from "../../wire/limits.ts";
import type { DirectoryHeader } from "../../wire/manifest.ts";
import type { Metadata } from "../../wire/metadata.ts";
import { joinPath } from "../../wire/path-rules.ts";
import { deviceOf, metadataOf, SAME_OWNER, typeOf } from "../entries/attributes.ts";
import type { Directories } from "../disk/directories.ts";
import type { Exclusion } from "../entries/excludes.ts";
import { explain, reasonFor } from "../reasons/explain.ts";
import { attributesOf, AttributesError } from "../entries/extended-attributes.ts";
import { allocatedBytes, isSparse } from "../entries/holes.ts";
import type { Owners } from "../entries/owners.ts";
import type { ScanRules } from "./request.ts";

/** Times that fit into 64 bits of nanoseconds. */
const MOST_NS = 9_200_000_000_000_000_000n;

/** Files with several names that are remembered, so that the further names go as links. */
const LINKED_FILES = 100_000;

/** An entry that is sent, with its directory. */
export interface FoundEntry {
  readonly kind: "entry";
  readonly directory: DirectoryHeader;
  readonly entry: Entry;
  /** As it was looked at; undefined for what is given by its name alone. */
  readonly stats: FileStats | undefined;
}

/** It cannot be read; the reason does not repeat the path. */
export interface UnreadableEntry {
  readonly kind: "unreadable";
  readonly path: string;
  readonly reason: Reason;
}

/** It is something that is never sent; what is in it may be. */
export interface SkippedEntry {
  readonly kind: "skipped";
  readonly path: string;
  readonly reason: Reason;
  readonly isDirectory: boolean;
}

/** An exclude pattern fits it. */
interface ExcludedEntry {
  readonly kind: "hidden";
}

export type Look = FoundEntry | UnreadableEntry | SkippedEntry | ExcludedEntry;

export interface LookRules extends Pick<ScanRules, "ownedBy" | "group" | "sendsAttributes"> {
  readonly isExcluded: Exclusion;
  /** Nothing is changed here either. */
  readonly dryRun: boolean;
}

/** Looks at one entry after the other and says what is to be sent of it. */
export class Lookout {
  private readonly directories: Directories;
  private readonly owners: Owners;
  private readonly rules: LookRules;
  /** The first path of each file that has several, by device and inode. */
  private readonly linkedFiles = new Map<string, string>();
  /** What went wrong with the last entry, though it is sent. */
  private problem: UnreadableEntry | undefined;

  constructor(directories: Directories, owners: Owners, rules: LookRules) {
    this.directories = directories;
    this.owners = owners;
    this.rules = rules;
  }

  /** What went wrong with the last entry, though it is sent; asked for once. */
  takeProblem(): UnreadableEntry | undefined {
    const { problem } = this;
    this.problem = undefined;
    return problem;
  }

  isForeign(stats: FileStats | undefined): boolean {
    const { ownedBy } = this.rules;
    return ownedBy !== undefined && stats !== undefined && stats.uid !== ownedBy;
  }

  /** @returns undefined where nothing of that name is there */
  at(directory: DirectoryHeader, name: string): Look | undefined {
    const path = joinPath(directory.path, name);
    try {
      const stats = this.statIn(directory.path, name);
      if (stats === undefined) return undefined;
      if (this.rules.isExcluded(path, stats.isDirectory())) return { kind: "hidden" };
      return this.obstacle(path, stats) ?? this.found(directory, name, stats);
    } catch (error) {
      return { kind: "unreadable", path, reason: reasonFor(error) };
    }
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

  private found(directory: DirectoryHeader, name: string, before: FileStats): FoundEntry {
    const path = joinPath(directory.path, name);
    const type = typeOf(before) ?? EntryType.file;
    const stats = this.regrouped(directory.path, name, before);
    const metadata = this.metadata(stats);
    const isFile = type === EntryType.file;
    const first = isFile && stats.links > 1 ? this.firstPath(path, stats) : path;
    if (first !== path) {
      const entry = { type: EntryType.hardLink, name, metadata, size: 0, target: first, extras: undefined };
      return { kind: "entry", directory, entry, stats };
    }
    const target = type === EntryType.symlink ? this.directories.readLink(directory.path, name) : "";
    const extras = this.withAttributes(directory.path, name, this.extrasOf(type, stats));
    const entry = { type, name, metadata, size: isFile ? stats.size : 0, target, extras };
    return { kind: "entry", directory, entry, stats };
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

  /** The path that this file was met by first. */
  private firstPath(path: string, stats: FileStats): string {
    const file = `${stats.device}:${stats.inode}`;
    const known = this.linkedFiles.get(file);
    if (known !== undefined) return known;
    if (this.linkedFiles.size < LINKED_FILES) this.linkedFiles.set(file, path);
    return path;
  }

  /** The stats of an entry, after it was given the wanted group; no link is followed. */
  private regrouped(directory: string, name: string, stats: FileStats): FileStats {
    const { group, dryRun } = this.rules;
    if (group === undefined || stats.gid === group || dryRun) return stats;
    try {
      const { disk } = this.directories;
      disk.setOwner(this.directories.handle(directory), name, SAME_OWNER, group);
    } catch (error) {
      const path = joinPath(directory, name);
      this.problem = {
        kind: "unreadable",
        path,
        reason: reason("group-unchanged", undefined, explain(error)),
      };
    }
    // The kernel takes set-user-id and set-group-id away with that.
    return this.directories.statIn(directory, name) ?? stats;
  }

  private metadata(stats: FileStats): Metadata {
    const metadata = metadataOf(stats, this.owners);
    const { group, dryRun } = this.rules;
    return dryRun && group !== undefined ? { ...metadata, group: this.owners.group(group) } : metadata;
  }

  private extrasOf(type: EntryType, stats: FileStats): EntryExtras | undefined {
    if (type === EntryType.characterDevice || type === EntryType.blockDevice) {
      return { ...NO_EXTRAS, device: deviceOf(stats) };
    }
    if (type !== EntryType.file) return undefined;
    const hasOtherNames = stats.links > 1;
    const allocated =
      this.directories.disk.canFindHoles && isSparse(stats) ? allocatedBytes(stats) : undefined;
    if (!hasOtherNames && allocated === undefined) return undefined;
    return { ...NO_EXTRAS, hasOtherNames, allocated };
  }

  /** Its directory has to be there: one that is gone is an error, and not an entry that is missing. */
  private statIn(directory: string, name: string): FileStats | undefined {
    return this.directories.disk.stat(this.directories.handle(directory), name);
  }
}
