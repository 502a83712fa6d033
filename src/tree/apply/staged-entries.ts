/** Puts entries of every type into the staging area. */
import { reason } from "../../base/reason.ts";
import { errorCode, orElse } from "../../sys/system-error.ts";
import type { SpecialKind } from "../../sys/special-files.ts";
import type { ContentSegment, HoleSegment } from "../../wire/data-block.ts";
import { type Entry, EntryType, isDevice } from "../../wire/entry.ts";
import type { ToldChunk } from "../../wire/manifest.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import { type Place, StepKind } from "../decide/decision.ts";
import type { Directories } from "../disk/directories.ts";
import type { DirectoryHandle, Disk } from "../disk/disk.ts";
import type { OpenFile } from "../disk/open-file.ts";
import type { AttributeRules } from "../entries/attributes.ts";
import type { ChunkTags } from "../entries/chunk-tags.ts";
import { errorAt } from "../reasons/explain.ts";
import { StageError } from "../reasons/stage-error.ts";
import { ReadAllowance } from "./read-allowance.ts";
import type { ToSearch } from "./chunk-search.ts";
import type { JournalWriter } from "./journal.ts";
import { setAttributes, setLinkAttributes, setSpecialAttributes } from "./set-attributes.ts";
import { type Note, StagedFiles } from "./staged-files.ts";
import type { StagingArea } from "./staging-area.ts";

/** Callbacks of staged entries. */
export interface Asked {
  /** Called for each attribute that an entry could not get. */
  readonly note: Note;
  /** Whether a path was found to be the same as the sender's. */
  readonly isSame: (path: string) => boolean;
  /** Called with the new name of an entry of somebody else that had the place of the staging area. */
  readonly onMoved?: ((name: string) => void) | undefined;
}

interface StagedLink {
  readonly place: Place;
  readonly entry: Entry;
}

/** Errors of file systems without links, and of links that need more privileges. */
const LINK_CODES: ReadonlySet<string> = new Set([
  "EPERM",
  "EACCES",
  "EMLINK",
  "EXDEV",
  "EOPNOTSUPP",
  "ENOTSUP",
]);

const SPECIAL_KINDS: ReadonlyMap<EntryType, SpecialKind> = new Map([
  [EntryType.fifo, "fifo"],
  [EntryType.characterDevice, "characterDevice"],
  [EntryType.blockDevice, "blockDevice"],
]);

/** Puts the entries of one transfer into its staging area, each with its final attributes. */
export class StagedEntries {
  private readonly disk: Disk;
  private readonly base: Directories;
  private readonly area: StagingArea;
  private readonly journal: JournalWriter;
  private readonly rules: AttributeRules;
  private readonly note: Note;
  private readonly isSame: (path: string) => boolean;
  private readonly files: StagedFiles;
  /** For all digests and chunks of the transfer. */
  private readonly allowance = new ReadAllowance();
  private readonly toSearch: ToSearch = {
    open: (path) => this.openLookAlike(path),
    clone: (handle) => this.allowance.bounded(this.disk, handle),
  };
  /** Hard links are made after the files that they name. */
  private links: StagedLink[] = [];

  constructor(
    base: Directories,
    area: StagingArea,
    journal: JournalWriter,
    rules: AttributeRules,
    { note, isSame }: Asked,
  ) {
    this.disk = base.disk;
    this.base = base;
    this.area = area;
    this.journal = journal;
    this.rules = rules;
    this.note = note;
    this.isSame = isSame;
    this.files = new StagedFiles(base.disk, area, journal, rules, note);
  }

  /** Whether the sender has taken a file back. */
  get hasWithdrawn(): boolean {
    return this.files.hasWithdrawn;
  }

  isWithdrawn(path: string): boolean {
    return this.files.isWithdrawn(path);
  }

  /** Whether some contents are not durable yet. */
  get needsSync(): boolean {
    return this.files.needsSync;
  }

  get writtenBytes(): number {
    return this.files.writtenBytes;
  }

  /**
   * Stages an entry. Its contents follow, unless it has none.
   *
   * @param lookAlikes of a file: paths of this member's own files that may have its contents
   * @returns false if this member cannot make it
   */
  stage(place: Place, entry: Entry, lookAlikes: readonly string[] = []): boolean {
    const { path, hasRealParent } = place;
    if (entry.type === EntryType.file) {
      this.files.expect({ ...this.fileOf(place, entry), lookAlikes });
      return true;
    }
    if (entry.type === EntryType.directory || entry.type === EntryType.passage) {
      this.stageDirectory(place, entry);
      return true;
    }
    const parent = this.stagedParent(path);
    const name = nameOf(path);
    if (entry.type === EntryType.symlink) {
      this.disk.makeSymlink(parent, name, entry.target);
      setLinkAttributes(this.disk, parent, name, entry.metadata, this.rules);
    } else if (!this.makeSpecial(path, entry)) return false;
    this.setExtended(path, entry);
    if (hasRealParent) this.journal.add(StepKind.place, entry.type, path);
    return true;
  }

  /**
   * Takes the contents of an expected file from one of its look-alikes, if that has them.
   *
   * @param digest the first TOLD_DIGEST_BYTES of their SHA-256
   * @returns false, step by step, if the sender has to send them
   */
  *recognize(number: number, digest: Uint8Array): Generator<undefined, boolean> {
    return yield* this.files.recognize(number, digest, (path, size) => this.openLookAlike(path, size));
  }

  /**
   * Takes chunks of expected files from the files that this member has.
   *
   * @param need called with the index of each chunk that the sender has to send
   */
  *find(
    chunks: readonly ToldChunk[],
    tags: ChunkTags,
    need: (index: number) => void,
  ): Generator<undefined, void> {
    yield* this.files.found.find(chunks, { ...this.toSearch, tags, need });
  }

  /** Stages a hard link; it is made when its file has arrived. */
  stageLink(place: Place, entry: Entry): void {
    this.links.push({ place, entry });
  }

  /**
   * Stages a file whose contents this member has already; only its attributes change.
   *
   * @returns step by step; false if the file cannot be read, or has changed since
   */
  *copy(place: Place, entry: Entry): Generator<undefined, boolean> {
    const from = this.base.hasDirectory(directoryOf(place.path))
      ? openReadable(this.base, place.path)
      : undefined;
    if (from === undefined) return false;
    try {
      return yield* this.files.copy(this.fileOf(place, entry), from);
    } finally {
      from.close();
    }
  }

  write(segment: ContentSegment | HoleSegment): void {
    this.files.write(segment);
  }

  withdraw(entry: number): void {
    this.files.withdraw(entry);
  }

  /**
   * Makes the hard links after everything has arrived.
   *
   * @throws StageError if something is missing
   */
  finish(): void {
    const { incomplete } = this.files;
    if (incomplete > 0) throw StageError.of("incomplete", undefined, incomplete);
    for (const link of this.links) {
      try {
        this.link(link);
      } catch (error) {
        throw errorAt(link.place.path, error);
      }
    }
    this.links = [];
  }

  close(): void {
    this.files.close();
  }

  private fileOf({ number, path, hasRealParent }: Place, entry: Entry) {
    const { size, metadata, extras } = entry;
    const isPlaced = hasRealParent;
    return { number, path, size, metadata, attributes: extras?.attributes, isPlaced, lookAlikes: [] };
  }

  private stageDirectory({ path, hasRealParent }: Place, entry: Entry): void {
    const set = { metadata: entry.metadata, attributes: entry.extras?.attributes };
    makeStagedDirectory(this.disk, this.stagedParent(path), nameOf(path));
    this.journal.add(StepKind.finish, EntryType.directory, path, set);
    if (hasRealParent) this.journal.add(StepKind.place, EntryType.directory, path);
  }

  /** @returns false if only a process with more privileges could make it */
  private makeSpecial(path: string, entry: Entry): boolean {
    const kind = SPECIAL_KINDS.get(entry.type) ?? "fifo";
    const device = entry.extras?.device ?? { major: 0, minor: 0 };
    const parent = this.stagedParent(path);
    try {
      this.disk.makeSpecial(parent, nameOf(path), kind, 0o600, device);
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOSYS" || (isDevice(entry.type) && (code === "EPERM" || code === "EINVAL")))
        return false;
      throw error;
    }
    setSpecialAttributes(this.disk, parent, nameOf(path), entry.metadata, this.rules);
    return true;
  }

  private setExtended(path: string, { extras }: Entry): void {
    if (extras?.attributes === undefined) return;
    const failure = setAttributes(this.disk, this.stagedParent(path), nameOf(path), extras.attributes);
    if (failure !== undefined) this.note(path, failure);
  }

  /** Links to the new file; otherwise to the file in the tree, if that is the same as the sender's. */
  private link({ place, entry }: StagedLink): void {
    const { path, hasRealParent } = place;
    const { target } = entry;
    const { tree } = this.area;
    const isStaged = tree.stat(target)?.isFile() === true;
    const where = isStaged ? tree : this.base;
    const isUsable = isStaged || (this.isSame(target) && this.base.stat(target)?.isFile() === true);
    if (!isUsable) {
      this.note(path, reason("link-without-file", undefined, target));
      return;
    }
    try {
      const parent = where.handle(directoryOf(target));
      this.disk.link(parent, nameOf(target), this.stagedParent(path), nameOf(path));
    } catch (error) {
      if (!LINK_CODES.has(errorCode(error))) throw error;
      this.copyInstead(place, entry, where);
      return;
    }
    if (hasRealParent) this.journal.add(StepKind.place, EntryType.hardLink, path);
  }

  /** If no link can be made, the entry becomes a file of its own with the same contents. */
  private copyInstead(place: Place, entry: Entry, where: Directories): void {
    const from = openReadable(where, entry.target);
    if (from === undefined) {
      this.note(place.path, reason("link-cannot-be-made", undefined, entry.target));
      return;
    }
    try {
      const { size } = from.stat();
      const steps = this.files.copy(this.fileOf(place, { ...entry, size }), from);
      while (steps.next().done !== true);
    } finally {
      from.close();
    }
  }

  /**
   * Opens a file that may have gone, or have become anything else, since it was seen; undefined if that fails, or if it has not the
   * size at which it is of use.
   */
  private openLookAlike(path: string, size?: number): OpenFile | undefined {
    return orElse(undefined, () => {
      const file = this.base.openToRead(directoryOf(path), nameOf(path));
      let admitted: OpenFile | undefined;
      try {
        admitted = this.allowance.admit(file, this.disk, size);
      } finally {
        if (admitted === undefined) file.close();
      }
      return admitted;
    });
  }

  private stagedParent(path: string): DirectoryHandle {
    return this.area.directoryFor(directoryOf(path));
  }
}

/** A directory may come twice in a manifest: on the way to an entry, and as an entry. */
function makeStagedDirectory(disk: Disk, parent: DirectoryHandle, name: string): void {
  try {
    disk.makeDirectory(parent, name, 0o700);
  } catch (error) {
    if (errorCode(error) !== "EEXIST" || disk.stat(parent, name)?.isDirectory() !== true) throw error;
  }
}

/** Opens a file for reading; undefined if that is not allowed, or if the file is missing. */
function openReadable(tree: Directories, path: string): OpenFile | undefined {
  try {
    return tree.openToRead(directoryOf(path), nameOf(path));
  } catch (error) {
    if (["EACCES", "EPERM", "ENOENT", "ELOOP"].includes(errorCode(error))) return undefined;
    throw error;
  }
}
