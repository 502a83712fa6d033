import { unpack } from "../../src/tree/entries/compression.ts";
import { SegmentKind, segmentsOf } from "../../src/wire/data-block.ts";
import { BlockKind } from "../../src/wire/datagram.ts";
import { type Entry, EntryType, isNameOnly } from "../../src/wire/entry.ts";
import { decodeManifest, type ManifestDirectory } from "../../src/wire/manifest.ts";
import { directoryOf, joinPath } from "../../src/wire/path-rules.ts";
import type { Versions } from "./contents.ts";
import { directoryText, fifoText, fileText, type Picture, symlinkText } from "./picture.ts";

/** What a tree has to be, where some paths may be one of several things. */
export interface Expectation {
  readonly picture: Picture;
  readonly alternatives: ReadonlyMap<string, ReadonlySet<string>>;
}

/** An entry that a sender has announced. */
export interface AnnouncedEntry {
  readonly path: string;
  readonly entry: Entry;
}

/**
 * What the sender of a transfer has put on the wire, read from its blocks, and what a commit of it makes of a tree. It is
 * written after PROTOCOL.md and shares nothing with the code that carries commits out.
 */
export class Announced {
  private readonly versions: Versions;
  readonly entries: AnnouncedEntry[] = [];
  private readonly known = new Map<string, Set<string>>();
  private readonly complete = new Set<string>();
  private readonly gone: string[] = [];
  private readonly modes = new Map<string, number>();
  private readonly withdrawn = new Set<number>();

  constructor(versions: Versions) {
    this.versions = versions;
  }

  add(kind: number, plaintext: Uint8Array): void {
    if (kind === BlockKind.manifest) {
      for (const directory of decodeManifest(plaintext).directories) this.addDirectory(directory);
      return;
    }
    for (const segment of segmentsOf(plaintext, unpack))
      if (segment.kind === SegmentKind.withdrawn) this.withdrawn.add(segment.entry);
  }

  /** What a commit makes of a tree. */
  applyTo(before: Picture): Expectation {
    const picture = new Map(before);
    const alternatives = new Map<string, Set<string>>();
    for (const path of this.gone) removeFrom(picture, path);
    for (const directory of this.complete) this.removeUnknown(picture, directory);
    for (const [path, mode] of this.modes) {
      const text = picture.get(path);
      if (text?.startsWith("directory") === true)
        alternatives.set(path, new Set([text, directoryText(mode)]));
    }
    this.entries.forEach((announced, number) => {
      const { path, entry } = announced;
      const { type } = entry;
      if (isNameOnly(type)) return;
      const text = this.textOf(announced);
      if (this.isWithdrawn(number)) {
        // It stays as it is, or is what it was found to be already.
        alternatives.set(path, new Set([text, picture.get(path) ?? ""]));
        for (const [other, was] of picture)
          if (other.startsWith(`${path}/`)) alternatives.set(other, new Set([was, ""]));
        return;
      }
      const isDirectory = type === EntryType.directory || type === EntryType.passage;
      const isThere = picture.get(path)?.startsWith("directory") === true;
      if (type === EntryType.passage && isThere) return;
      if (!isDirectory || !isThere) removeFrom(picture, path);
      picture.set(path, text);
    });
    return { picture, alternatives };
  }

  /** What a transfer brings for a path that is a further name of another one. */
  targetOf(path: string): string | undefined {
    const found = this.entries.find((one) => one.path === path && one.entry.type === EntryType.hardLink);
    return found?.entry.target;
  }

  private isWithdrawn(number: number): boolean {
    if (this.withdrawn.has(number)) return true;
    const target = this.entries[number]?.entry.target;
    if (this.entries[number]?.entry.type !== EntryType.hardLink) return false;
    return this.entries.some((one, index) => one.path === target && this.withdrawn.has(index));
  }

  private addDirectory({ header, entries, isComplete }: ManifestDirectory): void {
    const names = this.known.get(header.path) ?? new Set<string>();
    this.known.set(header.path, names);
    if (header.metadata !== undefined && header.path !== "")
      this.modes.set(header.path, header.metadata.mode);
    for (const entry of entries) {
      const path = joinPath(header.path, entry.name);
      if (entry.type === EntryType.gone) this.gone.push(path);
      else names.add(entry.name);
      // Each of them has a number, also those that are names alone.
      this.entries.push({ path, entry });
    }
    if (isComplete) this.complete.add(header.path);
  }

  private removeUnknown(picture: Map<string, string>, directory: string): void {
    const names = this.known.get(directory);
    for (const path of [...picture.keys()])
      if (directoryOf(path) === directory && names?.has(path.slice(path.lastIndexOf("/") + 1)) !== true)
        removeFrom(picture, path);
  }

  private textOf({ entry }: AnnouncedEntry): string {
    const { type, metadata } = entry;
    if (type === EntryType.directory || type === EntryType.passage) return directoryText(metadata.mode);
    if (type === EntryType.symlink) return symlinkText(entry.target);
    if (type === EntryType.fifo) return fifoText();
    if (type !== EntryType.hardLink) return fileText(metadata, this.versions.labelAt(metadata.mtimeNs));
    const target = this.entries.find((one) => one.path === entry.target);
    return target === undefined ? "" : this.textOf(target);
  }
}

/** Takes a path out of a picture, with all below it. */
function removeFrom(picture: Map<string, string>, path: string): void {
  const isDirectory = picture.get(path)?.startsWith("directory") === true;
  picture.delete(path);
  if (!isDirectory) return;
  for (const other of picture.keys()) if (other.startsWith(`${path}/`)) picture.delete(other);
}

/** Where a tree is not what it has to be, in words; undefined where it is. */
export function deviationOf(actual: Picture, { picture, alternatives }: Expectation): string | undefined {
  for (const path of new Set([...actual.keys(), ...picture.keys()])) {
    const [is, expected] = [actual.get(path) ?? "", picture.get(path) ?? ""];
    if (is === expected || alternatives.get(path)?.has(is) === true) continue;
    return `${path} is '${is}' and should be '${expected}'`;
  }
  return undefined;
}

/** A tree as it is, without a choice. */
export function exactly(picture: Picture): Expectation {
  return { picture, alternatives: new Map() };
}

/** Each path on its own as in one tree or as in the other. */
export function mixtureOf(before: Picture, after: Expectation): Expectation {
  const alternatives = new Map<string, Set<string>>();
  for (const path of new Set([...before.keys(), ...after.picture.keys(), ...after.alternatives.keys()])) {
    const own = after.alternatives.get(path) ?? [];
    alternatives.set(path, new Set(["", before.get(path) ?? "", after.picture.get(path) ?? "", ...own]));
  }
  return { picture: before, alternatives };
}
