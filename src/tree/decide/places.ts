/** Looks before the barrier at everything that a commit would fail at. */
import type { FileStats } from "../../sys/stat.ts";
import { type Entry, EntryType } from "../../wire/entry.ts";
import { directoryOf } from "../../wire/path-rules.ts";
import type { EntryBelow } from "../disk/below.ts";
import type { TreeView } from "../disk/tree-view.ts";
import type { AttributeRules } from "../entries/attributes.ts";
import { reasonFor } from "../reasons/explain.ts";
import { StageError } from "../reasons/stage-error.ts";

const STICKY = 0o1000;

/** Every check throws a StageError with the reason. */
export class Places {
  private readonly tree: TreeView;
  private readonly rules: AttributeRules;
  private readonly device: number;

  constructor(tree: TreeView, rules: AttributeRules) {
    this.tree = tree;
    this.rules = rules;
    this.device = tree.statDirectory("").device;
  }

  /** Whether entries of a directory can be renamed and deleted. */
  checkWritable(directory: string): void {
    if (this.tree.statDirectory(directory).device !== this.device) throw StageError.of("EXDEV", directory);
    try {
      this.tree.checkWritable(directory);
    } catch (error) {
      throw new StageError(reasonFor(error, directory));
    }
  }

  /** Whether a path can be moved out of its directory. */
  checkRemovable(path: string): void {
    const directory = directoryOf(path);
    this.checkWritable(directory);
    const stats = this.tree.stat(path);
    if (stats !== undefined) this.checkSticky(directory, path, stats);
    // A directory that is moved away is written to: it gets another parent.
    if (this.tree.hasDirectory(path)) this.checkWritable(path);
  }

  /** Whether all of an entry below something that goes can be deleted. */
  checkDeletable({ path, stats }: EntryBelow): void {
    if (!stats.isDirectory()) return;
    if (stats.device !== this.device || stats.hasMount) throw StageError.of("EXDEV", path);
    if (this.rules.keepOwner || stats.uid === this.tree.user) return;
    if (this.tree.hasDirectory(path)) this.checkWritable(path);
  }

  /** Whether a path can lead through what is there. */
  checkPassage(path: string, stats: FileStats): void {
    if (!stats.isDirectory()) throw StageError.of("not-a-passage", path);
  }

  /** Whether an entry that differs can take the place of what is there. */
  checkReplaceable(path: string, entry: Entry, stats: FileStats): void {
    const directory = directoryOf(path);
    if (this.tree.hasDirectory(directory)) this.checkSticky(directory, path, stats);
    if (!stats.isDirectory() || entry.type === EntryType.directory) return;
    this.checkRemovable(path);
  }

  /** In a sticky directory, only owners may rename what is theirs. */
  private checkSticky(directory: string, path: string, stats: FileStats): void {
    if (this.rules.keepOwner) return;
    const { mode, uid } = this.tree.statDirectory(directory);
    const { user } = this.tree;
    if ((mode & STICKY) === 0 || uid === user || stats.uid === user || user === 0) return;
    throw StageError.of("sticky", path);
  }

  /** Better to say at once that so many bytes more will not fit than to fill the disk. */
  checkSpace(bytes: number, writtenBytes: number): void {
    if (bytes === 0) return;
    const freeBytes = this.tree.freeBytes() + writtenBytes;
    if (bytes > freeBytes) throw StageError.of("no-space", undefined, bytes, freeBytes);
  }
}
