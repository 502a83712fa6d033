/** Stages what takes back a commit, from what that has kept. */
import { type Reason, reason } from "../../base/reason.ts";
import type { FileStats } from "../../sys/stat.ts";
import { EntryType } from "../../wire/entry.ts";
import { directoryOf, joinPath, nameOf, STAGING_NAME } from "../../wire/path-rules.ts";
import { type Step, StepKind } from "../decide/decision.ts";
import type { Protection } from "../decide/protection.ts";
import { below } from "../disk/below.ts";
import { Directories } from "../disk/directories.ts";
import { type AttributeRules, metadataOf, typeOf } from "../entries/attributes.ts";
import { PathSet } from "../entries/path-set.ts";
import { StageError } from "../reasons/stage-error.ts";
import { readJournal } from "./journal.ts";
import { BEFORE, carriedAttributes } from "./keeping.ts";
import { OtherNames, type PathsOfPush } from "./other-names.ts";
import { MadeEntries, type MixedDirectory } from "./made-entries.ts";
import { changesOf } from "./ready-steps.ts";
import type { Staged } from "./staging.ts";
import { checkKept } from "./undo-check.ts";
import { removeUndoArea, undoName } from "./undo-areas.ts";

/**
 * The steps that give a directory the attributes that were pushed. One that only keeps its time is not told: the push was not for it,
 * so hosts that hand the undo on do not look at it.
 */
const SETS_ATTRIBUTES: readonly Step["kind"][] = [StepKind.adjust, StepKind.finish];

/** Hears of the paths of an undo. */
export interface UndoHearer {
  /** A path is going to be as it was before, or is gone then. */
  changes(path: string, type: EntryType, size: number): void;
  /** A directory of the push stays, because others have put something into it. */
  stays(path: string, why: Reason): void;
  /** A path stays, and is another name of a file that comes back. */
  isNamed(path: string): void;
}

/**
 * The reverse of a commit: what it has replaced or removed comes back, what it has made goes, and directories get the attributes
 * that they had. The area of the commit stays as it is until the switch: files are linked, and directories are made once more.
 * Files that somebody has changed by hand since are replaced, as a push would replace them. Entries of others in a directory that
 * the push has made, or has deleted, stay with that directory.
 */
export class Undoing {
  private readonly base: Directories;
  private readonly rules: AttributeRules;
  /** The name of the transfer that is taken back. */
  private readonly undone: string;
  private readonly from: Directories;
  private readonly made: MadeEntries;
  private readonly protection: Protection | undefined;
  private readonly hearer: UndoHearer;
  /** Paths that it changes itself, and all those above them. */
  private readonly changed = new PathSet();
  private readonly above = new PathSet();
  private readonly otherNames = new OtherNames();

  /**
   * @param undone the name of the transfer that is taken back; it has an area
   * @param protection paths that stay as they are on this member; the patterns may be others than at that transfer
   * @throws an error with a code
   */
  constructor(
    base: Directories,
    rules: AttributeRules,
    undone: string,
    protection: Protection | undefined,
    hearer: UndoHearer,
  ) {
    this.base = base;
    this.rules = rules;
    this.undone = undone;
    this.protection = protection;
    this.hearer = hearer;
    const { disk } = base;
    const root = disk.openDirectory(base.root, STAGING_NAME);
    try {
      this.from = new Directories(disk, disk.openDirectory(root, undoName(undone)));
    } finally {
      disk.closeDirectory(root);
    }
    this.made = new MadeEntries(this.from);
  }

  /**
   * Looks, step by step, whether everything that was kept is still there.
   *
   * @throws StageError if not
   */
  check(): Generator<undefined> {
    return checkKept(this.from, this.rules, this.undone);
  }

  /** Whether the commit has changed anything. */
  get hasSteps(): boolean {
    return this.from.stat("done") !== undefined;
  }

  /**
   * Stages everything, step by step.
   *
   * @param push what the transfer was about that is taken back
   * @throws StageError if something of it must not be changed
   */
  *stage(staged: Staged, push: PathsOfPush | undefined): Generator<undefined> {
    let number = 0;
    for (const step of this.steps("done")) {
      number++;
      if (step.kind === StepKind.place || step.kind === StepKind.remove)
        this.reverse(step.path, staged.area.discardedName(number), staged);
      yield;
    }
    // Not those that come or go as a whole, or with another one: they were told already.
    for (const { kind, path } of this.steps("done"))
      if (SETS_ATTRIBUTES.includes(kind) && !this.isWithinChanged(path))
        this.hearer.changes(path, EntryType.directory, 0);
    for (const step of this.steps(BEFORE)) staged.journal.addStep(step);
    if (push === undefined) return;
    // This host does not hand on protected paths.
    const isLeft = (path: string) => this.isWithinChanged(path) || this.isCovered(path, false);
    for (const path of this.otherNames.in(this.base, push, isLeft)) this.hearer.isNamed(path);
  }

  /**
   * Another commit comes first. If it changes some of the same paths, this is no reverse any more.
   *
   * @throws StageError with such a path
   */
  checkConflict(steps: Iterable<Step>): void {
    for (const { path } of changesOf(steps))
      if (this.above.has(path) || this.isWithinChanged(path)) throw StageError.of("overtaken", path);
  }

  private isWithinChanged(path: string): boolean {
    if (this.changed.has(path)) return true;
    for (const way of waysTo(path)) if (this.changed.has(way)) return true;
    return false;
  }

  /** Removes the area of the commit that was taken back, step by step. Its files are in the tree. */
  removal(): Generator<undefined> {
    this.close();
    return removeUndoArea(this.base, this.rules, this.undone);
  }

  close(): void {
    this.from.close();
  }

  private reverse(path: string, keptAs: string, staged: Staged): void {
    this.changed.add(path);
    this.above.addWay(directoryOf(path));
    const old = this.from.stat(keptAs);
    const present = this.base.stat(path);
    this.checkAllowed(
      path,
      [old, present].some((stats) => stats?.isDirectory() === true),
    );
    const mixed = present?.isDirectory() === true ? this.made.mixed(this.base, path) : undefined;
    if (mixed !== undefined) this.reverseMixed(path, keptAs, mixed, staged);
    else if (old === undefined) this.remove(path, staged);
    else {
      this.noteGoing(path, staged);
      this.bring(path, old, keptAs, staged);
    }
  }

  /**
   * Takes back a path that is a directory now, in which others have put something.
   *
   * @throws StageError if another entry was there before
   */
  private reverseMixed(path: string, keptAs: string, mixed: MixedDirectory, staged: Staged): void {
    const { goes, stays, example } = mixed;
    const old = this.from.stat(keptAs);
    if (old?.isDirectory() === false) throw StageError.of("undo-in-the-way", path, example);
    for (const one of goes) this.remove(one, staged);
    for (const one of stays) {
      const metadata = metadataOf(this.base.statDirectory(one), this.rules.owners);
      staged.journal.add(StepKind.restore, EntryType.directory, one, { metadata });
    }
    if (old === undefined) this.hearer.stays(path, reason("undo-stays", undefined, example));
    else this.bringInto(path, keptAs, staged);
  }

  /** Brings back the entries of a directory into one that is there again. */
  private bringInto(path: string, keptAs: string, staged: Staged): void {
    const stats = this.from.statDirectory(keptAs);
    const attributes = carriedAttributes(
      this.base.disk,
      this.from.handle(directoryOf(keptAs)),
      nameOf(keptAs),
    );
    const set = { metadata: metadataOf(stats, this.rules.owners), attributes };
    this.hearer.changes(path, EntryType.directory, 0);
    for (const name of this.from.list(keptAs)) {
      const [one, kept] = [joinPath(path, name), joinPath(keptAs, name)];
      const [old, present] = [this.from.stat(kept), this.base.stat(one)];
      if (old === undefined) continue;
      const isDirectory = present?.isDirectory() === true;
      const [inside] = isDirectory ? this.base.list(one) : [];
      if (inside !== undefined && !old.isDirectory())
        throw StageError.of("undo-in-the-way", one, joinPath(one, inside));
      if (isDirectory && old.isDirectory()) this.bringInto(one, kept, staged);
      else this.bring(one, old, kept, staged);
    }
    staged.journal.add(StepKind.adjust, EntryType.directory, path, set);
  }

  private remove(path: string, staged: Staged): void {
    this.noteGoing(path, staged);
    this.hearer.changes(path, EntryType.gone, 0);
    if (this.base.stat(path) !== undefined) staged.journal.add(StepKind.remove, EntryType.file, path);
  }

  private noteGoing(path: string, { journal }: Staged): void {
    if (this.base.hasDirectory(path))
      for (const entry of below(this.base, path)) journal.addGoing(entry.path);
  }

  private checkAllowed(path: string, isDirectory: boolean): void {
    const { protection, base } = this;
    if (protection === undefined) return;
    const holds = base.hasDirectory(path) && protection.findBelow(base, path) !== undefined;
    if (holds || this.isCovered(path, isDirectory)) throw StageError.of("undo-excluded", path);
  }

  private isCovered(path: string, isDirectory: boolean): boolean {
    const { protection } = this;
    if (protection === undefined) return false;
    return protection.coversDirectory(directoryOf(path)) || protection.coversEntry(path, isDirectory);
  }

  private bring(path: string, old: FileStats, keptAs: string, staged: Staged): void {
    this.checkWay(path);
    this.bringEntry(path, old, keptAs, staged);
    staged.journal.add(StepKind.place, typeOf(old) ?? EntryType.file, path);
    if (!old.isDirectory()) return;
    for (const { path: one, stats } of below(this.from, keptAs))
      this.bringEntry(joinPath(path, one.slice(keptAs.length + 1)), stats, one, staged);
  }

  /**
   * Somebody may have moved or deleted a directory since the push. The switch could bring nothing into it, and then it would be too
   * late: other hosts have switched.
   *
   * @throws StageError with the first directory above a path that is missing
   */
  private checkWay(path: string): void {
    if (this.base.hasDirectory(directoryOf(path))) return;
    const missing = [...waysTo(path)].findLast((way) => !this.base.hasDirectory(way));
    throw StageError.of("undo-no-directory", missing);
  }

  private bringEntry(path: string, stats: FileStats, keptAs: string, { area, journal }: Staged): void {
    const { disk } = this.base;
    const from = this.from.handle(directoryOf(keptAs));
    const to = area.directoryFor(directoryOf(path));
    this.hearer.changes(path, typeOf(stats) ?? EntryType.file, stats.size);
    if (!stats.isDirectory()) {
      this.otherNames.note(stats);
      disk.link(from, nameOf(keptAs), to, nameOf(path));
      return;
    }
    disk.makeDirectory(to, nameOf(path), 0o700);
    const metadata = metadataOf(stats, this.rules.owners);
    const attributes = carriedAttributes(disk, from, nameOf(keptAs));
    journal.add(StepKind.finish, EntryType.directory, path, { metadata, attributes });
  }

  private steps(name: "done" | typeof BEFORE): Generator<Step> {
    const { disk } = this.base;
    return readJournal(disk, () => disk.openFile(this.from.root, name, "read"));
  }
}

/** The error of a host that has not kept what it had before a transfer. */
export function goneError(undone: string): StageError {
  return StageError.of("undo-gone", undefined, undone);
}

/** The directories above a path, without the base directory. */
function* waysTo(path: string): Generator<string> {
  for (let way = directoryOf(path); way !== ""; way = directoryOf(way)) yield way;
}
