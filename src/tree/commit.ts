import fs from "node:fs";
import { exchange } from "../sys/files.ts";
import { EntryType } from "../wire/manifest.ts";
import { directoryOf, nameOf } from "../wire/path-rules.ts";
import { type AttributeRules, modeToSet, setAttributes } from "./attributes.ts";
import { type Directories, entryPath, errorCode } from "./directories.ts";
import { readJournal, type Step, StepKind } from "./journal.ts";
import { namesIn } from "./remove.ts";
import { lookUp } from "./scan.ts";
import { openStagingRoot, StagingArea } from "./staging-area.ts";

/**
 * Carries out a journal: first every rename, so that all of the tree switches within the shortest time, then the
 * attributes of directories, which the renames have touched. Every step may have been done before.
 */
export class Committer {
  private readonly base: Directories;
  private readonly area: StagingArea;
  private readonly rules: AttributeRules;

  constructor(base: Directories, area: StagingArea, rules: AttributeRules) {
    this.base = base;
    this.area = area;
    this.rules = rules;
  }

  /** From the name `commit` on there is no way back. */
  begin(): void {
    this.area.rename("ready", "commit");
  }

  apply(): void {
    this.base.forgetAll();
    this.area.tree.forgetAll();
    for (const step of this.steps()) if (step.kind === StepKind.place) this.place(step);
    for (const step of this.steps()) this.finishDirectory(step);
    // A journaling file system makes changes durable in their order: with this one, all renames before it.
    this.area.rename("commit", "done");
    this.area.sync();
  }

  /** Gives staged directories their attributes, when all is in them; deepest ones were staged last. */
  finishStaged(): void {
    for (const step of readJournal(this.area.file("journal"))) {
      if (step.kind !== StepKind.finish || this.shutsOut(step)) continue;
      const parent = this.area.tree.find(directoryOf(step.path));
      if (parent === undefined) continue;
      setAttributes(entryPath(parent, nameOf(step.path)), step.type, step.metadata, this.rules);
    }
  }

  /** Whether something staged is not at its staged path any more: then the commit had begun. */
  hasBegun(): boolean {
    for (const step of readJournal(this.area.file("ready"))) {
      if (step.kind !== StepKind.place) continue;
      const parent = this.area.tree.find(directoryOf(step.path));
      if (parent === undefined || lookUp(parent, nameOf(step.path)) === undefined) return true;
    }
    return false;
  }

  private steps(): Generator<Step> {
    return readJournal(this.area.file("commit"));
  }

  private place(step: Step): void {
    const { path, type } = step;
    const stagedParent = this.area.tree.find(directoryOf(path));
    if (stagedParent === undefined) return;
    const staged = entryPath(stagedParent, nameOf(path));
    const stats = lookUp(stagedParent, nameOf(path));
    // Gone: it is in its place already. Of the other type: it was exchanged already, and this is the old one.
    if (stats === undefined || stats.isDirectory() !== (type === EntryType.directory)) return;
    const target = entryPath(this.base.descriptor(directoryOf(path)), nameOf(path));
    try {
      fs.renameSync(staged, target);
    } catch (error) {
      if (!["EISDIR", "ENOTDIR", "ENOTEMPTY", "EEXIST"].includes(errorCode(error))) throw error;
      this.replaceOtherType(staged, target);
    }
    if (type === EntryType.directory) this.area.tree.forget(path);
    this.base.forget(path);
  }

  /** A directory takes the place of a file or the other way round: in one step where the kernel can do that. */
  private replaceOtherType(staged: Buffer, target: Buffer): void {
    const isOtherType = fs.lstatSync(staged).isDirectory() !== fs.lstatSync(target).isDirectory();
    if (isOtherType && exchange(staged, target)) return;
    fs.renameSync(target, this.area.placeForDiscarded());
    fs.renameSync(staged, target);
  }

  private finishDirectory(step: Step): void {
    if (step.kind === StepKind.place) return;
    // A staged directory has its attributes already, but for a mode that would have been in the way.
    if (step.kind === StepKind.finish && !this.shutsOut(step)) return;
    const parent = this.base.find(directoryOf(step.path));
    const stats = parent === undefined ? undefined : lookUp(parent, nameOf(step.path));
    if (parent === undefined || stats?.isDirectory() !== true) return;
    setAttributes(entryPath(parent, nameOf(step.path)), step.type, step.metadata, this.rules);
  }

  /** Whether a directory's own mode forbids its owner what a rename of it needs. */
  private shutsOut(step: Step): boolean {
    return (modeToSet(step.metadata, this.rules) & 0o300) !== 0o300;
  }
}

/**
 * What a crash has left below the base directory: a commit that had begun is finished, everything else that was
 * staged is removed.
 *
 * @returns the names of the transfers whose commit was finished
 */
export function recover(base: Directories, rules: AttributeRules): string[] {
  if (lookUp(base.root, ".makuosan") === undefined) return [];
  const finished: string[] = [];
  const root = openStagingRoot(base);
  const names = namesIn(root.root).filter((name) => lookUp(root.root, name)?.isDirectory() === true);
  root.close();
  for (const name of names) {
    const area = StagingArea.open(base, name);
    if (area !== undefined && recoverArea(base, area, rules)) finished.push(name);
    if (area === undefined) StagingArea.create(base, name).remove();
  }
  return finished;
}

function recoverArea(base: Directories, area: StagingArea, rules: AttributeRules): boolean {
  const committer = new Committer(base, area, rules);
  if (area.has("ready") && committer.hasBegun()) committer.begin();
  const hasBegun = area.has("commit");
  if (hasBegun) committer.apply();
  area.remove();
  return hasBegun;
}
