/** Carries out a journal; recovery at the start. */
import fs from "node:fs";
import { canSyncFileSystem, exchange, syncFileSystem } from "../../sys/files.ts";
import { statEntry } from "../../sys/stat.ts";
import { EntryType } from "../../wire/entry.ts";
import { directoryOf, joinPath, nameOf, STAGING_NAME } from "../../wire/path-rules.ts";
import { type AttributeRules, modeToSet, setDirectoryAttributes } from "../entries/attributes.ts";
import { entryPath } from "../../sys/entry-path.ts";
import { errorCode } from "../../sys/system-error.ts";
import { type Directories, openDirectory } from "../disk/directories.ts";
import { readJournal, type Step, StepKind } from "./journal.ts";
import { namesIn } from "../disk/remove.ts";
import { explain } from "../reasons/explain.ts";
import { StageError } from "../reasons/stage-error.ts";
import { openStagingRoot, removeStagingRoot, StagingArea } from "./staging-area.ts";

/** The magic numbers of ext4, xfs, tmpfs and overlayfs: a change that is durable there makes all before it so. */
const ORDERED_FILE_SYSTEMS = new Set([0xef53, 0x58465342, 0x01021994, 0x794c7630]);

/**
 * Carries out a journal: first every rename, so that all of the tree switches within the shortest time, then what is
 * deleted, then the attributes of directories, which the renames have touched. Every step may have been done before.
 */
export class Committer {
  private readonly base: Directories;
  private readonly area: StagingArea;
  private readonly rules: AttributeRules;
  /** Some directory was there already, and what was staged has gone into it. */
  private hasMerged = false;
  private failures = 0;
  private firstFailure: string | undefined;

  constructor(base: Directories, area: StagingArea, rules: AttributeRules) {
    this.base = base;
    this.area = area;
    this.rules = rules;
  }

  /** From the name `commit` on there is no way back. */
  begin(): void {
    this.area.rename("ready", "commit");
  }

  /**
   * Carries out all steps. One that fails does not keep the others from being done: what cannot be done now, a later
   * attempt could only do over something newer.
   *
   * @param isRepeated whether some of the steps may have been carried out before
   * @returns what failed, as a sentence; undefined when nothing did
   */
  apply(isRepeated = false): string | undefined {
    this.hasMerged = isRepeated;
    this.base.forgetAll();
    this.area.tree.forgetAll();
    for (const step of this.steps()) {
      if (step.kind === StepKind.place) this.attempt(step.path, () => this.place(step));
    }
    let number = 0;
    for (const step of this.steps()) {
      number++;
      if (step.kind === StepKind.remove) this.attempt(step.path, () => this.remove(step.path, number));
    }
    this.finishDirectories();
    this.makeDurable();
    this.area.rename("commit", "done");
    this.area.sync();
    if (this.firstFailure === undefined) return undefined;
    const more = this.failures === 1 ? "" : ` (and ${this.failures - 1} more)`;
    return `all is new but ${this.firstFailure}${more}`;
  }

  /**
   * Gives staged directories their attributes, when all is in them; deepest ones were staged last.
   *
   * @returns what could not be set of them
   */
  *finishStaged(): Generator<{ path: string; text: string }> {
    for (const step of readJournal(this.area.file("journal"))) {
      if (step.kind !== StepKind.finish || this.shutsOut(step)) continue;
      const parent = this.area.tree.find(directoryOf(step.path));
      if (parent === undefined) continue;
      const text = setDirectoryAttributes(parent, nameOf(step.path), step, this.rules);
      if (text !== undefined) yield { path: step.path, text };
    }
  }

  /** Whether something staged is not at its staged path any more: then the commit had begun. */
  hasBegun(): boolean {
    if (this.area.hasDiscarded()) return true;
    for (const step of readJournal(this.area.file("ready"))) {
      if (step.kind !== StepKind.place) continue;
      const parent = this.area.tree.find(directoryOf(step.path));
      const stats = parent === undefined ? undefined : statEntry(parent, nameOf(step.path));
      if (stats === undefined || stats.isDirectory() !== (step.type === EntryType.directory)) return true;
    }
    return false;
  }

  private steps(): Generator<Step> {
    return readJournal(this.area.file("commit"));
  }

  private attempt(path: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.failures++;
      this.firstFailure ??= `${path}: ${explain(error)}`;
    }
  }

  /** Directories whose own mode is in the way of what is in them come last, the deepest of them first. */
  private finishDirectories(): void {
    const closing: Step[] = [];
    for (const step of this.steps()) {
      if (step.kind === StepKind.place || step.kind === StepKind.remove) continue;
      if (this.shutsOut(step)) closing.push(step);
      else this.attempt(step.path, () => this.finishDirectory(step));
    }
    for (const step of closing.reverse()) this.attempt(step.path, () => this.finishDirectory(step));
  }

  /**
   * Where the file system keeps all changes in order, making a later one durable makes the renames so; the caller
   * does that by the name `done`. Elsewhere everything has to be written out.
   */
  private makeDurable(): void {
    const { type } = fs.statfsSync(`/proc/self/fd/${this.base.root}/.`);
    if (!ORDERED_FILE_SYSTEMS.has(type) && canSyncFileSystem()) syncFileSystem(this.base.root);
  }

  private place(step: Step): void {
    const { path, type } = step;
    const stagedParent = this.area.tree.find(directoryOf(path));
    if (stagedParent === undefined) return;
    const stats = statEntry(stagedParent, nameOf(path));
    // Gone: it is in its place already. Of the other type: it was exchanged already, and this is the old one.
    if (stats === undefined || stats.isDirectory() !== (type === EntryType.directory)) return;
    this.moveInto(stagedParent, path, this.base.descriptor(directoryOf(path)));
    if (type === EntryType.directory) this.area.tree.forget(path);
    this.base.forget(path);
  }

  /** Takes a path out of the tree in one step; what it was goes with the staging area. */
  private remove(path: string, number: number): void {
    const discarded = this.area.placeForRemoved(number);
    // Before a crash it was taken out already; what is there now is something new.
    if (fs.existsSync(discarded)) return;
    const parent = this.base.find(directoryOf(path));
    if (parent === undefined || statEntry(parent, nameOf(path)) === undefined) return;
    fs.renameSync(entryPath(parent, nameOf(path)), discarded);
    this.base.forget(path);
  }

  /** Moves an entry from one open directory to another, over whatever has its name there. */
  private moveInto(from: number, path: string, to: number): void {
    const name = nameOf(path);
    const staged = entryPath(from, name);
    const target = entryPath(to, name);
    try {
      fs.renameSync(staged, target);
    } catch (error) {
      if (!["EISDIR", "ENOTDIR", "ENOTEMPTY", "EEXIST"].includes(errorCode(error))) throw error;
      if (statEntry(from, name)?.isDirectory() === statEntry(to, name)?.isDirectory())
        this.merge(from, path, to);
      else this.replaceOtherType(staged, target);
    }
  }

  /** Another transfer has made the directory meanwhile: this one's entries go into it, beside those. */
  private merge(from: number, path: string, to: number): void {
    this.hasMerged = true;
    const staged = openDirectory(from, nameOf(path));
    const target = openDirectory(to, nameOf(path));
    try {
      for (const child of namesIn(staged).map((name) => joinPath(path, name))) {
        this.attempt(child, () => this.moveInto(staged, child, target));
      }
    } finally {
      fs.closeSync(staged);
      fs.closeSync(target);
    }
  }

  /** A directory takes the place of a file or the other way round: in one step where the kernel can do that. */
  private replaceOtherType(staged: Buffer, target: Buffer): void {
    if (exchange(staged, target)) {
      // What was replaced must not look like something that is still to be moved.
      fs.renameSync(staged, this.area.placeForDiscarded());
      return;
    }
    fs.renameSync(target, this.area.placeForDiscarded());
    fs.renameSync(staged, target);
  }

  private finishDirectory(step: Step): void {
    // A staged directory has its attributes already, but for a mode that would have been in the way.
    if (step.kind === StepKind.finish && !this.shutsOut(step) && !this.hasMerged) return;
    const parent = this.base.find(directoryOf(step.path));
    const stats = parent === undefined ? undefined : statEntry(parent, nameOf(step.path));
    if (parent === undefined || stats?.isDirectory() !== true) return;
    const failure = setDirectoryAttributes(parent, nameOf(step.path), step, this.rules);
    if (failure !== undefined) throw new StageError(failure);
  }

  /** Whether a directory's own mode forbids its owner what a rename of it needs. */
  private shutsOut(step: Step): boolean {
    return !this.rules.keepOwner && (modeToSet(step.metadata, this.rules) & 0o300) !== 0o300;
  }
}

/**
 * What a crash has left below the base directory: a commit that had begun is finished, everything else that was
 * staged is removed.
 *
 * @returns what was finished, by the names of the transfers, with what could not be done of each
 */
export function recover(base: Directories, rules: AttributeRules): { name: string; failure: string }[] {
  if (statEntry(base.root, STAGING_NAME) === undefined) return [];
  const finished: { name: string; failure: string }[] = [];
  const root = openStagingRoot(base);
  const names = namesIn(root.root).filter((name) => statEntry(root.root, name)?.isDirectory() === true);
  root.close();
  for (const name of names) {
    try {
      const area = StagingArea.open(base, name);
      const failure = area === undefined ? undefined : recoverArea(base, area, rules);
      if (failure !== undefined) finished.push({ name, failure });
      if (area === undefined) StagingArea.create(base, name).remove();
    } catch (error) {
      // One that cannot be read must not keep the others from being recovered.
      finished.push({ name, failure: `it stays as it is: ${explain(error)}` });
    }
  }
  removeStagingRoot(base);
  return finished;
}

/** @returns undefined where nothing was committed, otherwise what failed of it or an empty text */
function recoverArea(base: Directories, area: StagingArea, rules: AttributeRules): string | undefined {
  const committer = new Committer(base, area, rules);
  if (area.has("ready") && committer.hasBegun()) committer.begin();
  const hasBegun = area.has("commit");
  const failure = hasBegun ? committer.apply(true) : undefined;
  area.remove();
  return hasBegun ? (failure ?? "") : undefined;
}
