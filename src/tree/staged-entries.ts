import fs from "node:fs";
import { bytesOfPath, entryPath } from "../sys/entry-path.ts";
import { openEntry } from "../sys/files.ts";
import { makeSpecialFile, type SpecialKind } from "../sys/special-files.ts";
import { statEntry } from "../sys/stat.ts";
import type { ContentSegment, HoleSegment } from "../wire/data-block.ts";
import { type Entry, EntryType, isDevice } from "../wire/entry.ts";
import { directoryOf, nameOf } from "../wire/path-rules.ts";
import { type AttributeRules, setLinkAttributes, setSpecialAttributes } from "./attributes.ts";
import { type Directories, errorCode } from "./directories.ts";
import { setAttributes } from "./extended-attributes.ts";
import { type JournalWriter, StepKind } from "./journal.ts";
import { StageError } from "./stage-error.ts";
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

interface StagedLink {
  readonly path: string;
  readonly target: string;
  readonly hasRealParent: boolean;
}

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
  private readonly files: StagedFiles;
  /** Files on their way that further entries may be names of. */
  private readonly linkTargets = new Set<string>();
  /** Links wait for the files that they are names of. */
  private links: StagedLink[] = [];

  /** @param note told what an entry could not be given */
  constructor(
    base: Directories,
    area: StagingArea,
    journal: JournalWriter,
    rules: AttributeRules,
    note: Note,
  ) {
    this.base = base;
    this.area = area;
    this.journal = journal;
    this.rules = rules;
    this.note = note;
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

  /** Whether a file that others are names of is going to be a new one. */
  hasLinkTarget(path: string): boolean {
    return this.linkTargets.has(path);
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
      this.links.push({ path, target: entry.target, hasRealParent });
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

  /** Stages a file whose contents are here already, and only its attributes are to be others. */
  *copy(place: Place, entry: Entry): Generator<undefined> {
    const directory = this.base.descriptor(directoryOf(place.path));
    const from = openEntry(directory, nameOf(place.path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const isCopied = yield* this.files.copy(this.fileOf(place, entry), from);
      if (!isCopied) throw new StageError(`${place.path}: it changed here during the transfer`);
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
    if (extras?.hasOtherNames === true) this.linkTargets.add(path);
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

  /** A link is one to the new file, or else to the one that is here. */
  private link({ path, target, hasRealParent }: StagedLink): void {
    const stagedParent = this.area.tree.find(directoryOf(target));
    const isStaged = stagedParent !== undefined && statEntry(stagedParent, nameOf(target))?.isFile() === true;
    const parent = isStaged ? stagedParent : this.base.find(directoryOf(target));
    if (parent === undefined || statEntry(parent, nameOf(target))?.isFile() !== true) {
      this.note(path, `it is another name of ${target}, which is not there, so it is left out`);
      return;
    }
    fs.linkSync(entryPath(parent, nameOf(target)), this.stagedPath(path));
    if (hasRealParent) this.journal.add(StepKind.place, EntryType.hardLink, path);
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
