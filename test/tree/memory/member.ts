import assert from "node:assert/strict";
import crypto from "node:crypto";
import { Stage } from "../../../src/tree/apply/stage.ts";
import type { StageExtras } from "../../../src/tree/apply/stage-extras.ts";
import type { StagePlan } from "../../../src/tree/decide/planner.ts";
import { DEFAULT_DELETE_LIMIT } from "../../../src/tree/decide/superfluous.ts";
import { withClosedDirectories } from "../../../src/tree/disk/closed-directories.ts";
import { Directories } from "../../../src/tree/disk/directories.ts";
import { withRoom } from "../../../src/tree/disk/making-room.ts";
import { type DirectoryHandle, type Disk, ITSELF } from "../../../src/tree/disk/disk.ts";
import type { AttributeRules } from "../../../src/tree/entries/attributes.ts";
import { StageError } from "../../../src/tree/reasons/stage-error.ts";
import { Owners } from "../../../src/tree/entries/owners.ts";
import { DataWriter } from "../../../src/wire/data-block.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../../src/wire/datagram.ts";
import { entriesNeedingContents } from "../../../src/wire/differences.ts";
import { type Entry, EntryType, TOLD_DIGEST_BYTES } from "../../../src/wire/entry.ts";
import { ManifestWriter, type ToldDigest } from "../../../src/wire/manifest.ts";
import type { Metadata } from "../../../src/wire/metadata.ts";
import { directoryOf, joinPath, nameOf } from "../../../src/wire/path-rules.ts";
import type { Terms } from "../../../src/wire/terms.ts";
import { MemoryDisk } from "../../disk/memory-disk.ts";
import type { MemoryDiskOptions } from "../../disk/memory-machine.ts";
import { RecordingDisk } from "../../disk/recording-disk.ts";
import { carryOut, finish } from "../../support/staging.ts";

/** A member on a disk in memory, and transfers to it that are written block by block. */

/** The time of all entries, where a test does not say another one. */
export const TIME_NS = 1_000_000_007n;

export const meta = (mode = 0o644, more: Partial<Metadata> = {}): Metadata => ({
  mode,
  mtimeNs: TIME_NS,
  user: { id: 0, name: "" },
  group: { id: 0, name: "" },
  ...more,
});

export const entry = (type: EntryType, name: string, more: Partial<Entry> = {}): Entry => ({
  type,
  name,
  metadata: meta(type === EntryType.directory ? 0o755 : 0o644),
  size: 0,
  target: "",
  extras: undefined,
  ...more,
});
export const file = (name: string, size: number, more: Partial<Entry> = {}) =>
  entry(EntryType.file, name, { size, ...more });
export const directory = (name: string, more: Partial<Entry> = {}) => entry(EntryType.directory, name, more);
export const passage = (name: string) => entry(EntryType.passage, name);
export const symlink = (name: string, target: string, more: Partial<Entry> = {}) =>
  entry(EntryType.symlink, name, { target, ...more });
export const hardLink = (name: string, target: string) => entry(EntryType.hardLink, name, { target });

/** What makes one of the usual kind, with what a test changes of it. */
export interface MemberOptions extends MemoryDiskOptions {
  readonly rules?: Partial<AttributeRules>;
  /** Whether calls that only look are written down as well. */
  readonly withLooks?: boolean;
}

/** Members open their own directories that are closed to them. */
const MemberDisk = withClosedDirectories(MemoryDisk);

export class Member {
  readonly memory: MemoryDisk;
  /** The same disk; it writes down the calls of transfers. */
  readonly disk: RecordingDisk;
  readonly rules: AttributeRules;

  /** Called when a call of the disk finds no room; whether something was given up for it. */
  makeRoom: () => boolean = () => false;

  constructor({ rules, withLooks = false, ...options }: MemberOptions = {}) {
    this.memory = new (withRoom(MemberDisk, () => this.makeRoom()))(options);
    this.disk = new RecordingDisk(this.memory, { withLooks });
    this.rules = { owners: new Owners(), keepOwner: true, ownGroups: new Set([0]), ...rules };
  }

  get base(): Directories {
    return Directories.at(this.disk, "/");
  }

  /**
   * Makes entries: a text is a file, `-> target` a symbolic link, and a path that ends with a slash a directory. Directories
   * on the way are made; the time of all is TIME_NS.
   */
  put(entries: Readonly<Record<string, string>>): this {
    const { memory } = this;
    const tree = Directories.at(memory, "/");
    const directories = new Set([""]);
    for (const [path, text] of Object.entries(entries)) {
      for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
        const way = path.slice(0, slash);
        if (!tree.hasDirectory(way)) memory.makeDirectory(tree.handle(directoryOf(way)), nameOf(way), 0o755);
        directories.add(way);
      }
      if (path.endsWith("/")) continue;
      const parent = tree.handle(directoryOf(path));
      putEntry(memory, parent, nameOf(path), text);
      memory.setTime(parent, nameOf(path), TIME_NS);
    }
    for (const path of directories) memory.setTime(tree.handle(path), ITSELF, TIME_NS);
    tree.close();
    return this;
  }

  /** Lets a test do something in a directory. */
  in<T>(path: string, use: (directory: DirectoryHandle, disk: MemoryDisk) => T): T {
    const tree = Directories.at(this.memory, "/");
    try {
      return use(tree.handle(path), this.memory);
    } finally {
      tree.close();
    }
  }

  stats(path: string) {
    return this.in(directoryOf(path), (parent, disk) => disk.stat(parent, nameOf(path)));
  }

  has(path: string): boolean {
    const tree = Directories.at(this.memory, "/");
    const stats = tree.stat(path);
    tree.close();
    return stats !== undefined;
  }

  /** Mode, owner and group of an entry: `755 0:0`. */
  rights(path: string): string {
    const stats = this.stats(path);
    return `${((stats?.mode ?? 0) & 0o7777).toString(8)} ${stats?.uid}:${stats?.gid}`;
  }

  text(path: string): string {
    return this.in(directoryOf(path), (parent, disk) => textOf(disk, parent, nameOf(path)));
  }

  /** Every path below a directory with its contents, in the form of put(). */
  tree(path = ""): Record<string, string> {
    return this.in(path, (top) => Object.fromEntries(treeOf(this.memory, top)));
  }

  push(name = "t-1", extras: PushOptions = {}): Push {
    return new Push(this, name, extras);
  }

  /** How many directories and files the transfers have opened and not closed; needs `withLooks`. */
  get openHandles(): number {
    const count = (words: RegExp) => this.disk.lines.filter((line) => words.test(line)).length;
    return count(/^(open-(root|directory|file)|make-file) [^:]*$/) - count(/^close-/);
  }
}

export interface PushOptions extends Partial<StageExtras> {
  readonly dryRun?: boolean;
}

/** A directory of a manifest block. */
export interface DirectorySpec {
  readonly path: string;
  readonly metadata?: Metadata;
  readonly isComplete?: boolean;
}

export interface BlockSpec {
  readonly terms?: Partial<Terms>;
  readonly excludes?: readonly string[];
  readonly directories?: readonly (DirectorySpec & { readonly entries: readonly Entry[] })[];
  readonly digests?: readonly ToldDigest[];
}

/** The path and the code of the reason for which some work is refused, or "none". */
export function reasonOf(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (error instanceof StageError) return `${error.reason.path}: ${error.reason.code}`;
    throw error;
  }
  return "none";
}

/** A member that is not root, whose base directory has a mode and an owner. */
export function plainMember(bits: number, user: number, options: MemberOptions = {}): Member {
  const member = new Member({ rules: { keepOwner: false, ownGroups: new Set([1000]) }, ...options });
  member.in("", (root, disk) => {
    disk.setMode(root, ITSELF, bits);
    disk.setOwner(root, ITSELF, user, 0);
  });
  return member;
}

/** One transfer to a member. */
export class Push {
  readonly stage: Stage;
  private nextEntry = 0;

  constructor(member: Member, name: string, { dryRun = false, ...extras }: PushOptions) {
    const more = { protection: undefined, listsChanges: false, deleteLimit: DEFAULT_DELETE_LIMIT, ...extras };
    this.stage = new Stage(member.base, member.rules, name, dryRun, more);
  }

  /** The next manifest block. */
  plan(spec: BlockSpec): StagePlan {
    const plaintext = manifestBlock(spec, this.nextEntry);
    for (const { entries } of spec.directories ?? []) this.nextEntry += entries.length;
    return finish(this.stage.plan(plaintext));
  }

  /** A block with entries of one directory. */
  entries(path: string, entries: readonly Entry[], more: Omit<DirectorySpec, "path"> = {}): StagePlan {
    return this.plan({ directories: [{ path, entries, ...more }] });
  }

  /** The same; each file that is wanted is sent, with as many letters as it has bytes. */
  bring(path: string, entries: readonly Entry[], more: Omit<DirectorySpec, "path"> = {}): this {
    const first = this.nextEntry;
    const { wants, differences } = this.entries(path, entries, more);
    const needed = differences === undefined ? wants : entriesNeedingContents(differences);
    for (const [index, { type, name, size }] of entries.entries())
      if (type === EntryType.file && size > 0 && needed.get(index))
        this.send(content(first + index, name.slice(0, 1).repeat(size)));
    return this;
  }

  /** The sender tells the digests of these contents; the numbers of those that are needed after all. */
  tell(contents: Readonly<Record<number, string>>): number[] {
    const { wants } = finish(this.stage.plan(this.told(contents)));
    return Object.keys(contents)
      .map(Number)
      .filter((_, index) => wants.get(index));
  }

  /** The block with these digests. */
  told(contents: Readonly<Record<number, string>>): Uint8Array {
    const digests = Object.entries(contents).map(([number, text]) => {
      const hash = crypto.createHash("sha256").update(text, "latin1");
      return { entry: Number(number), digest: hash.digest().subarray(0, TOLD_DIGEST_BYTES) };
    });
    return manifestBlock({ digests }, this.nextEntry);
  }

  /** A data block. */
  send(...segments: ((writer: DataWriter) => void)[]): this {
    const writer = new DataWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES));
    for (const add of segments) add(writer);
    this.stage.write(writer.finish());
    return this;
  }

  prepare(): this {
    this.stage.prepare();
    return this;
  }

  /** Commits and clears away; nothing may fail. */
  commit(): void {
    assert.equal(carryOut(this.stage), undefined);
    finish(this.stage.clean());
  }

  /** All findings as `path: text`. */
  get findings(): string[] {
    return this.stage
      .findingsFrom(0, 1_000)
      .map(({ path, text }) => (text === "" ? path : `${path}: ${text}`));
  }
}

export const content =
  (number: number, text: string | Uint8Array, offset = 0) =>
  (writer: DataWriter): void => {
    const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
    writer.contentSpace(bytes.length).set(bytes);
    writer.addContent(number, offset, bytes.length);
  };
export const hole = (number: number, offset: number, length: number) => (writer: DataWriter) =>
  void writer.addHole(number, offset, length);
export const withdrawal = (number: number) => (writer: DataWriter) =>
  void writer.addWithdrawal(number, "gone");

export function manifestBlock(
  { terms, excludes = [], directories = [], digests = [] }: BlockSpec,
  first = 0,
): Uint8Array {
  const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), first);
  if (terms !== undefined)
    writer.addTerms({
      isForced: false,
      isCheck: false,
      deletes: true,
      tellsDigests: false,
      base: "/",
      ...terms,
    });
  for (const pattern of excludes) assert.ok(writer.addExclude(pattern));
  for (const digest of digests) assert.ok(writer.addDigest(digest));
  for (const { path, metadata, entries, isComplete = false } of directories) {
    for (const one of entries) assert.ok(writer.add({ path, metadata }, one));
    if (isComplete) writer.addComplete({ path, metadata });
  }
  return writer.finish();
}

function putEntry(disk: Disk, parent: DirectoryHandle, name: string, text: string): void {
  const target = /^-> (.*)$/s.exec(text)?.[1];
  if (target !== undefined) {
    disk.makeSymlink(parent, name, target);
    return;
  }
  const made = disk.makeFile(parent, name, 0o644);
  if (text !== "") disk.write(made, Buffer.from(text, "latin1"), 0);
  disk.closeFile(made);
}

function textOf(disk: Disk, parent: DirectoryHandle, name: string): string {
  const opened = disk.openFile(parent, name, "read");
  const bytes = new Uint8Array(disk.statFile(opened).size);
  disk.read(opened, bytes, 0);
  disk.closeFile(opened);
  return Buffer.from(bytes).toString("latin1");
}

function* treeOf(disk: Disk, parent: DirectoryHandle, path = ""): Generator<[string, string]> {
  for (const name of disk.list(parent).sort()) {
    const stats = disk.stat(parent, name);
    const own = joinPath(path, name);
    if (stats?.isDirectory() === true) {
      yield [`${own}/`, ""];
      const inner = disk.openDirectory(parent, name);
      yield* treeOf(disk, inner, own);
      disk.closeDirectory(inner);
    } else if (stats?.isSymbolicLink() === true) yield [own, `-> ${disk.readLink(parent, name)}`];
    else yield [own, stats?.isFile() === true ? textOf(disk, parent, name) : "special"];
  }
}
