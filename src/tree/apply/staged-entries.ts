/** Puts entries of every type into the staging area. */
import fs from "node:fs";
import { bytesOfPath, entryPath } from "../../sys/entry-path.ts";
import { openEntry } from "../../sys/files.ts";
import { makeSpecialFile, type SpecialKind } from "../../sys/special-files.ts";
import { statDescriptor, statEntry } from "../../sys/stat.ts";
import type { ContentSegment, HoleSegment } from "../../wire/data-block.ts";
import { type Entry, EntryType, isDevice } from "../../wire/entry.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import { type AttributeRules, setLinkAttributes, setSpecialAttributes } from "../entries/attributes.ts";
import { errorCode } from "../../sys/system-error.ts";
import type { Directories } from "../disk/directories.ts";
import { setAttributes } from "../entries/extended-attributes.ts";
import { type JournalWriter, StepKind } from "./journal.ts";
import { StageError } from "../reasons/stage-error.ts";
import { type Note, StagedFiles } from "./staged-files.ts";
import type { StagingArea } from "./staging-area.ts";

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/** Where an entry belongs. */
export interface Place {
  readonly number: number;
  readonly path: string;
  /** Its directory is in the tree already, so the entry itself has to be moved at the commit. */
  readonly hasRealParent: boolean;
}

/** What staged entries tell and ask. */
export interface Asked {
  /** Told what an entry could not be given. */
  readonly note: Note;
  /** Whether a path was found to be as the sender has it. */
  readonly isSame: (path: string) => boolean;
}

interface StagedLink {
  readonly place: Place;
  readonly entry: Entry;
}

/** What a file system says that has no links, or where more rights are needed for one. */
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

/** Puts entries of one transfer into its staging area, each with its final attributes. */
export class StagedEntries {
  private readonly base: Directories;
  private readonly area: StagingArea;
  private readonly journal: JournalWriter;
  private readonly rules: AttributeRules;
  private readonly note: Note;
  private readonly isSame: (path: string) => boolean;
  private readonly files: StagedFiles;
  /** Links wait for the files that they are names of. */
  private links: StagedLink[] = [];

  constructor(
    base: Directories,
    area: StagingArea,
    journal: JournalWriter,
    rules: AttributeRules,
    { note, isSame }: Asked,
  ) {
    this.base = base;
    this.area = area;
    this.journal = journal;
    this.rules = rules;
    this.note = note;
    this.isSame = isSame;
    this.files = new StagedFiles(area, journal, rules, note);
  }

  /** Whether the sender has taken a file back. */
  get hasWithdrawn(): boolean {
    return this.files.hasWithdrawn;
  }

  isWithdrawn(path: string): boolean {
    return this.files.isWithdrawn(path);
  }

  /** Whether there is content that has not been made durable. */
  get needsSync(): boolean {
    return this.files.needsSync;
  }

  get writtenBytes(): number {
    return this.files.writtenBytes;
  }

  /**
   * Stages an entry; its content follows, unless it has none.
   *
   * @returns false where it cannot be made here
   */
  stage(place: Place, entry: Entry): boolean {
    const { path, hasRealParent } = place;
    if (entry.type === EntryType.file) {
      this.files.expect(this.fileOf(place, entry));
      return true;
    }
    if (entry.type === EntryType.hardLink) {
      this.links.push({ place, entry });
      return true;
    }
    if (entry.type === EntryType.directory || entry.type === EntryType.passage) {
      this.stageDirectory(place, entry);
      return true;
    }
    const staged = this.stagedPath(path);
    if (entry.type === EntryType.symlink) {
      fs.symlinkSync(bytesOfPath(entry.target), staged);
      setLinkAttributes(staged, entry.metadata, this.rules);
    } else if (!this.makeSpecial(path, entry)) return false;
    this.setExtended(staged, path, entry);
    if (hasRealParent) this.journal.add(StepKind.place, entry.type, path);
    return true;
  }

  /**
   * Stages a file whose contents are here already, and only its attributes are to be others.
   *
   * @returns step by step; false where it cannot be read, or has changed meanwhile
   */
  *copy(place: Place, entry: Entry): Generator<undefined, boolean> {
    const parent = this.base.find(directoryOf(place.path));
    const from = parent === undefined ? undefined : openReadable(parent, nameOf(place.path));
    if (from === undefined) return false;
    try {
      return yield* this.files.copy(this.fileOf(place, entry), from);
    } finally {
      fs.closeSync(from);
    }
  }

  write(segment: ContentSegment | HoleSegment): void {
    this.files.write(segment);
  }

  withdraw(entry: number): void {
    this.files.withdraw(entry);
  }

  /**
   * Everything has arrived: makes the links.
   *
   * @throws StageError where that is not so
   */
  finish(): void {
    const { incomplete } = this.files;
    if (incomplete > 0) throw new StageError(`the contents of ${incomplete} entries are incomplete`);
    for (const link of this.links) this.link(link);
    this.links = [];
  }

  close(): void {
    this.files.close();
  }

  private fileOf({ number, path, hasRealParent }: Place, entry: Entry) {
    const { size, metadata, extras } = entry;
    return { number, path, size, metadata, attributes: extras?.attributes, isPlaced: hasRealParent };
  }

  private stageDirectory({ path, hasRealParent }: Place, entry: Entry): void {
    const set = { metadata: entry.metadata, attributes: entry.extras?.attributes };
    if (hasRealParent && this.base.find(path) !== undefined) {
      this.journal.add(StepKind.adjust, EntryType.directory, path, set);
      return;
    }
    makeStagedDirectory(this.stagedPath(path));
    this.journal.add(StepKind.finish, EntryType.directory, path, set);
    if (hasRealParent) this.journal.add(StepKind.place, EntryType.directory, path);
  }

  /** @returns false where only a process with more rights could make it */
  private makeSpecial(path: string, entry: Entry): boolean {
    const kind = SPECIAL_KINDS.get(entry.type) ?? "fifo";
    const device = entry.extras?.device ?? { major: 0, minor: 0 };
    try {
      makeSpecialFile(this.area.directoryFor(directoryOf(path)), nameOf(path), kind, 0o600, device);
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOSYS" || (isDevice(entry.type) && (code === "EPERM" || code === "EINVAL")))
        return false;
      throw error;
    }
    setSpecialAttributes(this.stagedPath(path), entry.metadata, this.rules);
    return true;
  }

  private setExtended(staged: Buffer, path: string, { extras }: Entry): void {
    if (extras?.attributes === undefined) return;
    const failure = setAttributes(staged, extras.attributes);
    if (failure !== undefined) this.note(path, failure);
  }

  /** A link is one to the new file, or else to the one that is here, if that is the sender's. */
  private link({ place, entry }: StagedLink): void {
    const { path, hasRealParent } = place;
    const { target } = entry;
    const stagedParent = this.area.tree.find(directoryOf(target));
    const isStaged = stagedParent !== undefined && statEntry(stagedParent, nameOf(target))?.isFile() === true;
    const parent = isStaged ? stagedParent : this.base.find(directoryOf(target));
    const isUsable = parent !== undefined && (isStaged || this.isSame(target));
    if (!isUsable || statEntry(parent, nameOf(target))?.isFile() !== true) {
      this.note(path, `it is another name of ${target}, which is not there, so it is left out`);
      return;
    }
    try {
      fs.linkSync(entryPath(parent, nameOf(target)), this.stagedPath(path));
    } catch (error) {
      if (!LINK_CODES.has(errorCode(error))) throw error;
      this.copyInstead(place, entry, parent);
      return;
    }
    if (hasRealParent) this.journal.add(StepKind.place, EntryType.hardLink, path);
  }

  /** Where no link can be made, it becomes a file of its own with the same contents. */
  private copyInstead(place: Place, entry: Entry, parent: number): void {
    const from = openReadable(parent, nameOf(entry.target));
    if (from === undefined) {
      this.note(
        place.path,
        `it can be neither a link to ${entry.target} nor a copy of it, so it is left out`,
      );
      return;
    }
    try {
      const { size } = statDescriptor(from);
      const steps = this.files.copy(this.fileOf(place, { ...entry, size }), from);
      while (steps.next().done !== true);
    } finally {
      fs.closeSync(from);
    }
  }

  private stagedPath(path: string): Buffer {
    return entryPath(this.area.directoryFor(directoryOf(path)), nameOf(path));
  }
}

/** A directory may be announced twice: as one on the way to an entry, and for itself. */
function makeStagedDirectory(staged: Buffer): void {
  try {
    fs.mkdirSync(staged, 0o700);
  } catch (error) {
    if (errorCode(error) !== "EEXIST" || !fs.lstatSync(staged).isDirectory()) throw error;
  }
}

/** Opens a file to read it; undefined where that is not allowed, or it is gone. */
function openReadable(parent: number, name: string): number | undefined {
  try {
    return openEntry(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (["EACCES", "EPERM", "ENOENT", "ELOOP"].includes(errorCode(error))) return undefined;
    throw error;
  }
}
