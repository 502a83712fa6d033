/** Looks before the barrier for everything that would make a commit fail. */
import type { FileStats } from "../../sys/stat.ts";
import { type Entry, EntryType } from "../../wire/entry.ts";
import { directoryOf } from "../../wire/path-rules.ts";
import type { EntryBelow } from "../disk/below.ts";
import type { TreeView } from "../disk/tree-view.ts";
import type { AttributeRules } from "../entries/attributes.ts";
import { reasonFor } from "../reasons/explain.ts";
import { StageError } from "../reasons/stage-error.ts";

/** The sticky bit of a mode. */
const STICKY = 0o1000;

/** Checks of paths: each throws a StageError with the reason. */
export class Obstacles {
  private readonly tree: TreeView;
  private readonly rules: AttributeRules;
  private readonly device: number;

  constructor(tree: TreeView, rules: AttributeRules) {
    this.tree = tree;
    this.rules = rules;
    this.device = tree.statDirectory("").device;
  }

  /** Checks that entries of a directory can be renamed and deleted. */
  checkWritable(directory: string): void {
    if (this.tree.statDirectory(directory).device !== this.device) throw StageError.of("EXDEV", directory);
    try {
      this.tree.checkWritable(directory);
    } catch (error) {
      throw new StageError(reasonFor(error, directory));
    }
  }

  /** Checks that a path can be moved out of its directory. */
  checkRemovable(path: string): void {
    const directory = directoryOf(path);
    this.checkWritable(directory);
    const stats = this.tree.stat(path);
    if (stats !== undefined) this.checkSticky(directory, path, stats);
    // Moving a directory changes it: it gets another parent.
    if (this.tree.hasDirectory(path)) this.checkWritable(path);
  }

  /** Checks that an entry can be deleted with a directory above it. */
  checkDeletable({ path, stats }: EntryBelow): void {
    if (!stats.isDirectory()) return;
    if (stats.device !== this.device || stats.hasMount) throw StageError.of("EXDEV", path);
    if (this.rules.keepOwner || stats.uid === this.tree.user) return;
    if (this.tree.hasDirectory(path)) this.checkWritable(path);
  }

  /** Checks that an existing entry can be on the way to others. */
  checkPassage(path: string, stats: FileStats): void {
    if (!stats.isDirectory()) throw StageError.of("not-a-passage", path);
  }

  /** Checks that an entry that differs can replace the existing one. */
  checkReplaceable(path: string, entry: Entry, stats: FileStats): void {
    const directory = directoryOf(path);
    if (this.tree.hasDirectory(directory)) this.checkSticky(directory, path, stats);
    if (!stats.isDirectory() || entry.type === EntryType.directory) return;
    this.checkRemovable(path);
  }

  /** In a sticky directory, only owners may rename their entries. */
  private checkSticky(directory: string, path: string, stats: FileStats): void {
    if (this.rules.keepOwner) return;
    const { mode, uid } = this.tree.statDirectory(directory);
    const { user } = this.tree;
    if ((mode & STICKY) === 0 || uid === user || stats.uid === user || user === 0) return;
    throw StageError.of("sticky", path);
  }

  /** Fails early if the bytes will not fit, instead of filling the disk. */
  checkSpace(bytes: number, writtenBytes: number): void {
    if (bytes === 0) return;
    const freeBytes = this.tree.freeBytes() + writtenBytes;
    if (bytes > freeBytes) throw StageError.of("no-space", "", bytes, freeBytes);
  }
}
