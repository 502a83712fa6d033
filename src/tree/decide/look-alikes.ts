/** Files of this member that are going to be deleted or replaced, and that may have contents which come by another name. */
import type { FileStats } from "../../sys/stat.ts";
import { orElse } from "../../sys/system-error.ts";
import { type Entry, EntryType } from "../../wire/entry.ts";
import { CHUNK_BYTES, CHUNKED_FILE_BYTES } from "../../wire/limits.ts";
import type { ManifestBlock, ManifestDirectory } from "../../wire/manifest.ts";
import { joinPath, nameOf } from "../../wire/path-rules.ts";
import type { TreeView } from "../disk/tree-view.ts";
import { ChunkTags } from "../entries/chunk-tags.ts";

/** Smaller files are sent: their contents take hardly more room on the network than the digest that would spare them. */
const LEAST_BYTES = 64;

/** Most files that are remembered: a bound on memory, some 40 MB. Files beyond them are sent. */
const MOST_FILES = 100_000;

/** Most files of one size and time, and of one size, time and name: each may have to be read for one digest. */
const MOST_OF_A_KIND = 8;

/**
 * A file whose contents are needed is worth a look at one entry that the manifest has not come to, and at another one for so many
 * of its bytes: at 1 Gbit/s, some 1 % of the time that it takes to send them.
 */
const BYTES_PER_LOOK = 32 * 1024;

/** So many looks are never too many: they take less than a millisecond. */
const FIRST_LOOKS = 100;

/** Most directories that are looked through ahead of the manifest, and most entries of one: bounds on memory and on time. */
const MOST_DIRECTORIES = 10_000;
const MOST_LISTED = 5_000;

/**
 * Files that are going to be deleted or replaced, by size and time. A file that comes with the same size and time may have been
 * moved. That is a guess: only a digest tells (PROTOCOL.md 5.2.6).
 */
export class LookAlikes {
  private readonly tree: TreeView;
  private readonly stays: (path: string, isDirectory: boolean) => boolean;
  /** Paths by size and time; and by size, time and name, because files that were written together may have one time. */
  private readonly kinds = new Map<string, string[]>();
  private readonly named = new Map<string, string[]>();
  private count = 0;
  /** The directory whose entries are compared, until what goes from it has been recorded. */
  private unseen: ManifestDirectory | undefined;
  /** Directories of both sides that the manifest has not come to: something may have been moved out of them. */
  private readonly ahead = new Set<string>();
  /** At how many entries in them it is worth to look. */
  private looks = FIRST_LOOKS;
  /** Whether the sender tells digests. Without them nothing is recorded and nothing found. */
  isUsed = false;
  /** For chunks of large files; undefined if the sender tells none. */
  tags: ChunkTags | undefined;

  /** @param stays whether an entry is excluded: it is left alone, and so is everything in it */
  constructor(tree: TreeView, stays: (path: string, isDirectory: boolean) => boolean) {
    this.tree = tree;
    this.stays = stays;
  }

  /** A manifest block tells what the sender can do. */
  accept({ terms, chunkKey }: ManifestBlock): void {
    this.isUsed ||= terms?.tellsDigests === true;
    if (chunkKey !== undefined) this.tags ??= new ChunkTags(chunkKey);
  }

  /**
   * Whether a file of this member may have parts of the contents of the one that replaces it. It may be a guess: the sender tells
   * chunks, and this member says which of them it needs.
   */
  mayHaveParts({ type, size, extras }: Entry, stats: FileStats): boolean {
    if (this.tags === undefined || type !== EntryType.file || extras?.allocated !== undefined) return false;
    return size >= CHUNKED_FILE_BYTES && stats.isFile() && stats.size >= CHUNK_BYTES;
  }

  /** The entries of a directory follow. */
  enter(directory: ManifestDirectory, isThere: boolean): void {
    this.unseen = isThere ? directory : undefined;
    this.ahead.delete(directory.header.path);
  }

  /** The entries of a directory that this member has, and does not exclude, will follow later. */
  expect(directory: string): void {
    if (this.isUsed && this.ahead.size < MOST_DIRECTORIES) this.ahead.add(directory);
  }

  /** Records a file that goes; anything else is ignored. */
  note(path: string, stats: FileStats): void {
    if (!this.isUsed || !stats.isFile() || stats.size < LEAST_BYTES || this.count >= MOST_FILES) return;
    const kind = kindOf(stats.size, stats.mtimeNs);
    if (!add(this.named, `${kind} ${nameOf(path)}`, path)) return;
    add(this.kinds, kind, path);
    this.count++;
  }

  /**
   * The paths of files that may have the contents of an entry, those of the same name first.
   *
   * @param isKnown whether the sender has an entry of a name in the directory that was entered last
   * @returns none for anything but a file
   */
  of({ type, name, size, metadata, extras }: Entry, isKnown: (name: string) => boolean): readonly string[] {
    // Holes are not sent, and to read them would take longer.
    if (!this.isUsed || type !== EntryType.file || extras?.allocated !== undefined) return [];
    if (this.unseen !== undefined) this.noteGoing(this.unseen, isKnown);
    this.unseen = undefined;
    const kind = kindOf(size, metadata.mtimeNs);
    this.looks += 1 + size / BYTES_PER_LOOK;
    while (!this.kinds.has(kind) && this.looks > 0 && this.lookAhead());
    const others = this.kinds.get(kind) ?? [];
    if (others.length < 2) return others;
    return [...new Set([...(this.named.get(`${kind} ${name}`) ?? []), ...others])];
  }

  /** A file may be renamed in its directory, so the files that go from there are recorded before the end of the directory. */
  private noteGoing(directory: ManifestDirectory, isKnown: (name: string) => boolean): void {
    const { header, entries, isComplete } = directory;
    const named = new Set(entries.map(({ name }) => name));
    const gone = entries.filter(({ type }) => type === EntryType.gone).map(({ name }) => name);
    const others = (isComplete ? this.list(header.path) : []).filter(
      (name) => !named.has(name) && !isKnown(name),
    );
    for (const name of [...gone, ...others]) this.noteIn(header.path, name);
  }

  /** Records the files of a directory that the manifest has not come to; false if there is none. */
  private lookAhead(): boolean {
    const [path] = this.ahead;
    if (path === undefined) return false;
    this.ahead.delete(path);
    const device = orElse(undefined, () => this.tree.statDirectory(path).device);
    const names = this.list(path);
    this.looks -= 1 + names.length;
    if (names.length > MOST_LISTED) return true;
    for (const name of names) {
      const stats = this.noteIn(path, name);
      // Nothing that is mounted there has been moved out of this file system; and a server that is gone would never answer.
      if (stats?.isDirectory() === true && stats.device === device && !stats.hasMount)
        this.expect(joinPath(path, name));
    }
    return true;
  }

  /** The names in a directory; none if it cannot be read. If it has to be read, that will fail with a reason. */
  private list(directory: string): string[] {
    return orElse([], () => (this.tree.hasDirectory(directory) ? this.tree.list(directory) : []));
  }

  /** Records an entry that is not excluded, and returns its stats. */
  private noteIn(directory: string, name: string): FileStats | undefined {
    const stats = orElse(undefined, () => this.tree.statIn(directory, name));
    const path = joinPath(directory, name);
    if (stats === undefined || this.stays(path, stats.isDirectory())) return undefined;
    this.note(path, stats);
    return stats;
  }
}

/** Adds a path to those of a key; false if it is there, or if there are enough. */
function add(paths: Map<string, string[]>, key: string, path: string): boolean {
  const known = paths.get(key);
  if (known === undefined) paths.set(key, [path]);
  else if (known.length < MOST_OF_A_KIND && !known.includes(path)) known.push(path);
  else return false;
  return true;
}

function kindOf(size: number, mtimeNs: bigint): string {
  return `${size} ${mtimeNs}`;
}
