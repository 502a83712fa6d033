/** Looks before the barrier for everything that would make a commit fail. */
import type { FileStats } from "../../sys/stat.ts";
import { type Entry, EntryType } from "../../wire/entry.ts";
import { directoryOf } from "../../wire/path-rules.ts";
import type { EntryBelow } from "../disk/below.ts";
import type { TreeView } from "../disk/tree-view.ts";
import type { AttributeRules } from "../entries/attributes.ts";
import { reasonFor } from "../reasons/explain.ts";
import { StageError } from "../reasons/stage-error.ts";

/** `.makuosan`, and in it the directory of the transfer with `tree` and `journal`. */
const AREA_INODES = 4;

/** The sticky bit of a mode. */
const STICKY = 0o1000;

/** Checks of paths: each throws a StageError with the reason. */
export class Obstacles {
  private readonly tree: TreeView;
  private readonly rules: AttributeRules;
  private readonly base: FileStats;
  /** The quota project of the base directory; looked up when it is needed first. */
  private project: number | undefined;

  constructor(tree: TreeView, rules: AttributeRules) {
    this.tree = tree;
    this.rules = rules;
    this.base = tree.statDirectory("");
  }

  /** Checks that entries can be moved into a directory. */
  checkWritable(directory: string): void {
    const stats = this.tree.statDirectory(directory);
    this.checkSameMount(directory, stats);
    if (stats.isImmutable) throw StageError.of("immutable", directory);
    try {
      this.tree.checkWritable(directory);
    } catch (error) {
      throw new StageError(reasonFor(error, directory));
    }
    this.project ??= this.tree.projectOf("");
    if (this.tree.projectOf(directory) !== this.project) throw StageError.of("other-project", directory);
  }

  /** Checks that the attributes of an existing directory can be set. */
  checkAdjustable(directory: string): void {
    const stats = this.tree.statDirectory(directory);
    checkUnmarked(directory, stats);
    const { user } = this.tree;
    if (this.rules.keepOwner || user === 0 || stats.uid === user) return;
    throw StageError.of("attributes-of-others", directory);
  }

  /** Checks that a path can be moved out of its directory. */
  checkRemovable(path: string): void {
    const directory = directoryOf(path);
    this.checkWritable(directory);
    const stats = this.tree.stat(path);
    if (stats !== undefined) this.checkMovable(directory, path, stats);
    // Moving a directory changes it: it gets another parent.
    if (this.tree.hasDirectory(path)) this.checkWritable(path);
  }

  /** Checks that an entry can be deleted with a directory above it. */
  checkDeletable({ path, stats }: EntryBelow): void {
    this.checkSameMount(path, stats);
    checkUnmarked(path, stats);
    if (!stats.isDirectory()) {
      if (this.tree.hasDirectory(directoryOf(path))) this.checkSticky(directoryOf(path), path, stats);
      return;
    }
    if (this.rules.keepOwner || stats.uid === this.tree.user) return;
    if (this.tree.hasDirectory(path)) this.checkWritable(path);
  }

  /** Checks that an existing entry can be on the way to others. */
  checkPassage(path: string, stats: FileStats): void {
    if (!stats.isDirectory()) throw StageError.of("not-a-passage", path);
  }

  /** Checks that an entry that differs can replace the existing one. */
  checkReplaceable(path: string, entry: Entry, stats: FileStats): void {
    if (stats.isDirectory() && entry.type === EntryType.directory) return;
    const directory = directoryOf(path);
    if (this.tree.hasDirectory(directory)) this.checkMovable(directory, path, stats);
    if (stats.isDirectory()) this.checkRemovable(path);
  }

  /** Checks of an entry and its directory that the entry can get another name, or give its name to another entry. */
  private checkMovable(directory: string, path: string, stats: FileStats): void {
    this.checkSameMount(path, stats);
    checkUnmarked(path, stats);
    if (this.tree.statDirectory(directory).isAppendOnly) throw StageError.of("append-only", directory);
    this.checkSticky(directory, path, stats);
  }

  /** Checks that an entry is on the same file system as the base directory, and reached without another mount. */
  private checkSameMount(path: string, stats: FileStats): void {
    // Overlay file systems tell the device of a layer for files.
    if (stats.isDirectory() && stats.device !== this.base.device) throw StageError.of("EXDEV", path);
    // The base directory itself may be the root of a mount.
    if (stats.mount !== this.base.mount || (path !== "" && stats.hasMount))
      throw StageError.of("mounted", path);
  }

  /** In a sticky directory, only owners may rename their entries. */
  private checkSticky(directory: string, path: string, stats: FileStats): void {
    if (this.rules.keepOwner) return;
    const { mode, uid } = this.tree.statDirectory(directory);
    const { user } = this.tree;
    if ((mode & STICKY) === 0 || uid === user || stats.uid === user || user === 0) return;
    throw StageError.of("sticky", path);
  }

  /** Whether this process can set the mode and the time of a directory that exists. */
  mayRestore({ uid }: FileStats): boolean {
    const { user } = this.tree;
    return this.rules.keepOwner || user === 0 || uid === user;
  }

  /**
   * Fails early if the bytes will not fit, instead of filling the disk.
   *
   * @param spareBytes what else could be had
   */
  checkSpace(bytes: number, writtenBytes: number, spareBytes = 0): void {
    if (bytes === 0) return;
    const freeBytes = this.tree.freeBytes() + writtenBytes;
    if (bytes > freeBytes + spareBytes) throw StageError.of("no-space", "", bytes, freeBytes);
  }

  /**
   * Fails if there will not be enough inodes; some file systems have a fixed number of them.
   *
   * @param made how many entries with an inode of their own are going to be made
   * @param spare how many more could be had
   */
  checkInodes(made: number, spare = 0): void {
    if (made === 0) return;
    const [needed, free] = [made + AREA_INODES, this.tree.freeInodes()];
    if (needed > free + spare) throw StageError.of("too-few-inodes", "", needed, free);
  }
}

/**
 * Checks that an entry has no mark of chattr that forbids to change, rename and delete it.
 *
 * @throws StageError
 */
export function checkUnmarked(path: string, stats: FileStats): void {
  if (stats.isImmutable) throw StageError.of("immutable", path);
  if (stats.isAppendOnly) throw StageError.of("append-only", path);
}
