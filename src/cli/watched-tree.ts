/** Watches a tree of files, and tells which paths have changed. */
import fs from "node:fs";
import { UserError } from "../base/user-error.ts";
import { Change, type DirectoryEvent, Inotify } from "../sys/inotify.ts";
import { errorCode } from "../sys/system-error.ts";
import { type Exclusion, isExcludedWithin } from "../wire/excludes.ts";
import { directoryOf, joinPath, STAGING_NAME } from "../wire/path-rules.ts";

/** Where a changed path is told. */
export interface ChangeListener {
  /** An entry was made, changed or removed; as a directory, with all that is in it. */
  changed(path: string): void;
  /** Changes were lost: everything has to be compared. */
  lost(): void;
}

const GONE = ["ENOENT", "ENOTDIR", "ELOOP"];

/**
 * The directories below some paths, each watched. A directory that appears is watched before it is listed, so that nothing in it
 * is missed. All paths are byte strings, relative to the base directory.
 */
export class WatchedTree {
  private readonly inotify: Inotify;
  private readonly base: string;
  private readonly roots: readonly string[];
  private readonly isExcluded: Exclusion;
  private readonly listener: ChangeListener;
  private readonly paths = new Map<number, string>();
  private readonly watches = new Map<string, number>();

  /**
   * @param base the base directory
   * @param roots the paths that are watched, with all that is below
   * @throws UserError if that is not possible on this host
   */
  constructor(base: string, roots: readonly string[], isExcluded: Exclusion, listener: ChangeListener) {
    this.base = base;
    this.roots = roots;
    this.isExcluded = isExcluded;
    this.listener = listener;
    this.inotify = openInotify();
    for (const root of roots) {
      // A path itself may be exchanged: only the directory above tells that.
      if (root !== "") this.watch(directoryOf(root));
      if (this.addBelow(root) || root === "") continue;
      if (!this.exists(root)) throw new UserError(`there is no ${root} below ${base}: name another path`);
    }
  }

  /** How many directories are watched. */
  get size(): number {
    return this.paths.size;
  }

  /** Whether an entry is there now. */
  exists(path: string): boolean {
    return this.look(path) !== undefined;
  }

  /** Whether a path is only missing. It means nothing any more if one of its directories has become something else. */
  canBeGone(path: string): boolean {
    for (let above = directoryOf(path); above !== ""; above = directoryOf(above)) {
      const stats = this.look(above);
      if (stats !== undefined) return stats.isDirectory();
    }
    return true;
  }

  /**
   * Tells the listener of changes, for ever.
   *
   * @throws UserError if nothing can be watched any more
   */
  async listen(): Promise<never> {
    for (;;) for (const event of await this.inotify.read()) this.take(event);
  }

  private take({ watch, bits, name }: DirectoryEvent): void {
    if ((bits & Change.overflow) !== 0) {
      this.listener.lost();
      // Directories may have appeared unseen.
      for (const root of this.roots) this.addBelow(root);
      return;
    }
    const directory = this.paths.get(watch);
    if (directory === undefined) return;
    if ((bits & Change.ignored) !== 0) this.forget(watch, directory);
    else if (name === "") this.takeSelf(directory, bits);
    else this.takeEntry(joinPath(directory, name), bits);
  }

  /** A directory itself has changed; for all but the base directory, the one above tells it as well. */
  private takeSelf(directory: string, bits: number): void {
    if (directory !== "") return;
    if ((bits & (Change.selfDeleted | Change.selfMoved)) === 0) return;
    throw new UserError(
      `the base directory ${this.base} was moved or removed: start makuosan and msync again`,
    );
  }

  private takeEntry(path: string, bits: number): void {
    if (!this.isWanted(path)) return;
    const isDirectory = (bits & Change.isDirectory) !== 0;
    if (isExcludedWithin(this.isExcluded, path, isDirectory)) return;
    if ((bits & Change.movedFrom) !== 0 && isDirectory) this.forgetBelow(path);
    if ((bits & Change.created) !== 0 && !isDirectory && this.isStillWritten(path)) return;
    if ((bits & (Change.created | Change.movedTo)) !== 0 && isDirectory) this.addBelow(path);
    this.listener.changed(path);
  }

  /** Whether a path is one of those that are watched, or below one. */
  private isWanted(path: string): boolean {
    if (path === STAGING_NAME || path.startsWith(`${STAGING_NAME}/`)) return false;
    return this.roots.some((root) => root === "" || path === root || path.startsWith(`${root}/`));
  }

  /** A new file with one name is told again when its writer closes it; a link to a file is not. */
  private isStillWritten(path: string): boolean {
    const stats = this.look(path);
    return stats?.isFile() === true && stats.nlink === 1;
  }

  private look(path: string): fs.Stats | undefined {
    try {
      return fs.lstatSync(Buffer.from(joinPath(this.base, path), "latin1"));
    } catch (error) {
      if (GONE.includes(errorCode(error))) return undefined;
      throw error;
    }
  }

  /**
   * Watches a directory and all below it.
   *
   * @returns false if there is no directory
   */
  private addBelow(top: string): boolean {
    const waiting = [top];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (!this.watch(path)) {
        if (path === top) return false;
        continue;
      }
      for (const entry of this.list(path)) {
        const below = joinPath(path, entry.name.toString("latin1"));
        if (entry.isDirectory() && this.isWanted(below) && !this.isExcluded(below, true)) waiting.push(below);
      }
    }
    return true;
  }

  private list(path: string): fs.Dirent<NonSharedBuffer>[] {
    try {
      const directory = Buffer.from(joinPath(this.base, path), "latin1");
      return fs.readdirSync(directory, { withFileTypes: true, encoding: "buffer" });
    } catch (error) {
      const code = errorCode(error);
      if (GONE.includes(code)) return [];
      throw new UserError(`${joinPath(this.base, path)} cannot be watched (${code}): let this user read it`);
    }
  }

  /** @returns false if there is no directory */
  private watch(path: string): boolean {
    try {
      const watch = this.inotify.add(joinPath(this.base, path));
      const former = this.paths.get(watch);
      // It was moved, and is known by its number.
      if (former !== undefined) this.watches.delete(former);
      this.paths.set(watch, path);
      this.watches.set(path, watch);
      return true;
    } catch (error) {
      const code = errorCode(error);
      if (GONE.includes(code)) return false;
      throw watchError(code, joinPath(this.base, path), this.size);
    }
  }

  private forget(watch: number, directory: string): void {
    this.paths.delete(watch);
    if (this.watches.get(directory) === watch) this.watches.delete(directory);
  }

  /** Directories that were moved away would go on telling their changes, under their old paths. */
  private forgetBelow(path: string): void {
    for (const [directory, watch] of this.watches) {
      if (directory !== path && !directory.startsWith(`${path}/`)) continue;
      this.inotify.remove(watch);
      this.forget(watch, directory);
    }
  }
}

function openInotify(): Inotify {
  let opened: Inotify | undefined;
  try {
    opened = Inotify.open();
  } catch (error) {
    throw new UserError(
      `no more trees can be watched (${errorCode(error)}): raise the limit with ` +
        "'sysctl -w fs.inotify.max_user_instances=512', or end other programs that watch files",
    );
  }
  if (opened !== undefined) return opened;
  throw new UserError("--watch needs the FFI library, which cannot be loaded here: use a timer and msync -r");
}

/** How many more directories than today the limit should allow. */
const ROOM = 8;

function watchError(code: string, path: string, count: number): UserError {
  if (code === "ENOSPC") {
    return new UserError(
      `${path} cannot be watched: this user may watch ${count} directories, and the tree has more; run ` +
        `'sysctl -w fs.inotify.max_user_watches=${Math.max(524_288, count * ROOM)}', and write that into a file in /etc/sysctl.d`,
    );
  }
  return new UserError(`${path} cannot be watched (${code}): let this user read it`);
}
