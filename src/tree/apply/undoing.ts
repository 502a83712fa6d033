/** Stages what takes back a commit, from what that has kept. */
import type { FileStats } from "../../sys/stat.ts";
import { EntryType } from "../../wire/entry.ts";
import { directoryOf, joinPath, nameOf, STAGING_NAME } from "../../wire/path-rules.ts";
import { type Step, StepKind } from "../decide/decision.ts";
import { below } from "../disk/below.ts";
import { Directories } from "../disk/directories.ts";
import { type AttributeRules, metadataOf, typeOf } from "../entries/attributes.ts";
import { StageError } from "../reasons/stage-error.ts";
import { Committer } from "./commit.ts";
import { Durability } from "./durability.ts";
import { readJournal, type JournalWriter } from "./journal.ts";
import { BEFORE, beginKeeping, carriedAttributes } from "./keeping.ts";
import { type UndoArea, undoName } from "./undo-areas.ts";
import { StagingArea } from "./staging-area.ts";

const NANOSECONDS_PER_MS = 1_000_000n;

/**
 * The reverse of a commit: what it has replaced or removed comes back, what it has made goes, and directories get the attributes
 * that they had. What it has kept stays as it is: files are linked, and directories are made anew.
 */
export class Undoing {
  private readonly base: Directories;
  private readonly rules: AttributeRules;
  private readonly kept: UndoArea;
  private readonly isForced: boolean;
  private readonly area: StagingArea;
  /** The kept area. */
  private readonly from: Directories;
  private readonly journal: JournalWriter;

  /**
   * @param name of the transfer that takes the commit back
   * @param isForced whether entries that were changed since are replaced, too
   * @throws an error with a code
   */
  constructor(base: Directories, rules: AttributeRules, kept: UndoArea, name: string, isForced: boolean) {
    this.base = base;
    this.rules = rules;
    this.kept = kept;
    this.isForced = isForced;
    const { disk } = base;
    const root = disk.openDirectory(base.root, STAGING_NAME);
    try {
      this.from = new Directories(disk, disk.openDirectory(root, undoName(kept.name)));
    } finally {
      disk.closeDirectory(root);
    }
    this.area = StagingArea.create(base, name, rules);
    this.journal = this.area.writeJournal();
  }

  /**
   * Stages everything, step by step, and makes it durable.
   *
   * @throws StageError with the first path that was changed since
   */
  *stage(): Generator<undefined> {
    let number = 0;
    for (const step of this.steps("done")) {
      number++;
      if (step.kind === StepKind.place || step.kind === StepKind.remove)
        this.reverse(step, this.area.discardedName(number));
      yield;
    }
    for (const step of this.steps(BEFORE)) this.journal.addStep(step);
    this.journal.flush();
    for (const { why } of new Committer(this.base, this.area, this.rules).finishStaged())
      throw new StageError(why);
    new Durability(this.base).syncStaged(false);
    this.journal.finish();
    this.area.rename("journal", "ready");
    this.area.sync();
  }

  /** Switches back; what that replaces is kept in its turn. */
  commit(): Committer {
    beginKeeping(this.base, this.area, this.rules);
    const committer = new Committer(this.base, this.area, this.rules);
    committer.begin();
    committer.apply();
    return committer;
  }

  /**
   * Ends it, step by step.
   *
   * @param keptMs when it was committed, if it can be taken back; its area goes otherwise
   */
  *end(keptMs: number | undefined): Generator<undefined> {
    this.journal.close();
    this.from.close();
    yield* keptMs === undefined ? this.area.removal() : this.area.keep(keptMs);
    this.base.forgetAll();
  }

  private reverse({ kind, path }: Step, keptAs: string): void {
    const old = this.from.stat(keptAs);
    const present = this.base.stat(path);
    if (kind === StepKind.remove ? present !== undefined : present === undefined) this.refuseChange(path);
    if (present !== undefined) this.noteGoing(path, present);
    if (old !== undefined) this.bring(path, old, keptAs);
    else if (present !== undefined) this.journal.add(StepKind.remove, EntryType.file, path);
  }

  /** Everything below a directory goes with it. */
  private noteGoing(path: string, present: FileStats): void {
    if (!present.isDirectory()) {
      this.checkUnchanged(path, present);
      return;
    }
    for (const entry of below(this.base, path)) {
      if (!entry.stats.isDirectory()) this.checkUnchanged(entry.path, entry.stats);
      this.journal.addGoing(entry.path);
    }
  }

  private checkUnchanged(path: string, { ctimeNs }: FileStats): void {
    if (ctimeNs >= BigInt(this.kept.atMs + 1) * NANOSECONDS_PER_MS) this.refuseChange(path);
  }

  private refuseChange(path: string): void {
    if (!this.isForced) throw StageError.of("undo-changed", path);
  }

  private bring(path: string, old: FileStats, keptAs: string): void {
    this.bringEntry(path, old, keptAs);
    const type = typeOf(old) ?? EntryType.file;
    this.journal.add(StepKind.place, type, path);
    if (!old.isDirectory()) return;
    for (const { path: one, stats } of below(this.from, keptAs))
      this.bringEntry(joinPath(path, one.slice(keptAs.length + 1)), stats, one);
  }

  private bringEntry(path: string, stats: FileStats, keptAs: string): void {
    const { disk } = this.base;
    const from = this.from.handle(directoryOf(keptAs));
    const to = this.area.directoryFor(directoryOf(path));
    if (!stats.isDirectory()) {
      disk.link(from, nameOf(keptAs), to, nameOf(path));
      return;
    }
    disk.makeDirectory(to, nameOf(path), 0o700);
    const metadata = metadataOf(stats, this.rules.owners);
    const attributes = carriedAttributes(disk, from, nameOf(keptAs));
    this.journal.add(StepKind.finish, EntryType.directory, path, { metadata, attributes });
  }

  private steps(name: "done" | typeof BEFORE): Generator<Step> {
    const { disk } = this.base;
    return readJournal(disk, () => disk.openFile(this.from.root, name, "read"));
  }
}
