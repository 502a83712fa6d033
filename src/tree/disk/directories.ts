/** Finds entries below a directory without following a link. */
import type { FileStats } from "../../sys/stat.ts";
import { errorCode } from "../../sys/system-error.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import type { DirectoryHandle, Disk } from "./disk.ts";
import { findKeptTimes, type KeptTimes, keptTime, mayBeKept } from "./kept-times.ts";
import { OpenFile } from "./open-file.ts";
import type { TreeView } from "./tree-view.ts";

/**
 * No symbolic link is ever followed on the way to an entry, even if somebody replaces a directory by a link at that
 * moment: each component is opened on its own, relative to the handle of the one before. Handles of recently used
 * directories stay open.
 */

/** Directories that are kept open: a walk goes down and up again, and a process has at least 1,024 descriptors. */
const KEPT_HANDLES = 128;

export class Directories implements TreeView {
  readonly disk: Disk;
  readonly root: DirectoryHandle;
  /** Open directories by path, the most recently used one last. */
  private readonly open = new Map<string, DirectoryHandle>();
  /** The most recently used one again: entries of one directory mostly come together. */
  private last: { readonly path: string; readonly handle: DirectoryHandle } | undefined;

  /** What the file system of the root keeps of times; "unknown" if that could not be found out lately. */
  private keptTimes: KeptTimes | "unknown" | undefined;

  /** @param root the directory above all paths, from Disk.openRoot() or openDirectory() */
  constructor(disk: Disk, root: DirectoryHandle) {
    this.disk = disk;
    this.root = root;
  }

  /** @param path may lead over links */
  static at(disk: Disk, path: string | Buffer): Directories {
    return new Directories(disk, disk.openRoot(path));
  }

  /**
   * The handle of a directory below the root. It stays open until many others have been used after it.
   *
   * @throws an error with code ENOENT or ENOTDIR if there is no such directory
   */
  handle(path: string): DirectoryHandle {
    if (path === "") return this.root;
    if (this.last?.path === path) return this.last.handle;
    const handle = this.used(path) ?? this.opened(path);
    this.last = { path, handle };
    return handle;
  }

  /** The handle of a directory, or undefined if a component is missing or is not a directory. */
  find(path: string): DirectoryHandle | undefined {
    try {
      return this.handle(path);
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw error;
    }
  }

  get user(): number {
    return this.disk.user;
  }

  get hasExactTimes(): boolean {
    return this.disk.hasExactTimes;
  }

  get hasAttributes(): boolean {
    return this.disk.hasAttributes;
  }

  keptTime({ device, mtimeNs }: FileStats, timeNs: bigint): bigint {
    // Finding it out writes to the disk, and to nothing that is mounted below.
    if (!mayBeKept(mtimeNs, timeNs) || device !== this.disk.statDirectory(this.root).device) return timeNs;
    this.keptTimes ??= findKeptTimes(this.disk, this.root) ?? "unknown";
    return this.keptTimes === "unknown" ? timeNs : keptTime(timeNs, this.keptTimes);
  }

  freeBytes(): number {
    return this.disk.fileSystemOf(this.root).freeBytes;
  }

  freeInodes(): number {
    return this.disk.fileSystemOf(this.root).freeInodes;
  }

  hasDirectory(path: string): boolean {
    return this.find(path) !== undefined;
  }

  stat(path: string): FileStats | undefined {
    return this.statIn(directoryOf(path), nameOf(path));
  }

  statIn(directory: string, name: string): FileStats | undefined {
    const parent = this.find(directory);
    return parent === undefined ? undefined : this.disk.stat(parent, name);
  }

  statDirectory(path: string): FileStats {
    return this.disk.statDirectory(this.handle(path));
  }

  list(directory: string): string[] {
    return this.disk.list(this.handle(directory));
  }

  checkWritable(directory: string): void {
    this.disk.checkWritable(this.handle(directory));
  }

  projectOf(directory: string): number {
    return this.disk.projectOf(this.handle(directory));
  }

  readLink(directory: string, name: string): string {
    return this.disk.readLink(this.handle(directory), name);
  }

  listAttributes(directory: string, name: string): string[] {
    return this.disk.listAttributes(this.handle(directory), name);
  }

  readAttribute(directory: string, name: string, attribute: string): Uint8Array | undefined {
    return this.disk.readAttribute(this.handle(directory), name, attribute);
  }

  openToRead(directory: string, name: string): OpenFile {
    return new OpenFile(this.disk, this.disk.openFile(this.handle(directory), name, "read"));
  }

  /** Closes a directory that is going to be replaced, and all directories below it. */
  forget(path: string): void {
    for (const known of this.open.keys()) if (isAtOrBelow(known, path)) this.closeOne(known);
    this.last = undefined;
  }

  /** Closes every directory except for the root: another process may have moved them. */
  forgetAll(): void {
    for (const handle of this.open.values()) this.disk.closeDirectory(handle);
    this.open.clear();
    this.last = undefined;
    if (this.keptTimes === "unknown") this.keptTimes = undefined;
  }

  close(): void {
    this.forgetAll();
    this.disk.closeDirectory(this.root);
  }

  private used(path: string): DirectoryHandle | undefined {
    const known = this.open.get(path);
    if (known === undefined) return undefined;
    this.open.delete(path);
    this.open.set(path, known);
    return known;
  }

  private opened(path: string): DirectoryHandle {
    const slash = path.lastIndexOf("/");
    const parent = this.nearest(slash === -1 ? "" : path.slice(0, slash));
    return this.keep(path, this.disk.openDirectory(parent, path.slice(slash + 1)));
  }

  /** Walks down to a directory from the deepest open ancestor. It is not recursive, because paths may be deep. */
  private nearest(path: string): DirectoryHandle {
    let ancestor = path;
    while (ancestor !== "" && !this.open.has(ancestor)) {
      ancestor = ancestor.slice(0, Math.max(0, ancestor.lastIndexOf("/")));
    }
    let handle = this.open.get(ancestor) ?? this.root;
    for (let end = ancestor.length; end < path.length;) {
      const start = end === 0 ? 0 : end + 1;
      const slash = path.indexOf("/", start);
      end = slash === -1 ? path.length : slash;
      handle = this.keep(path.slice(0, end), this.disk.openDirectory(handle, path.slice(start, end)));
    }
    return handle;
  }

  private keep(path: string, handle: DirectoryHandle): DirectoryHandle {
    this.open.set(path, handle);
    if (this.open.size > KEPT_HANDLES) {
      const [oldest] = this.open.keys();
      if (oldest !== undefined) this.closeOne(oldest);
      this.last = undefined;
    }
    return handle;
  }

  private closeOne(path: string): void {
    const handle = this.open.get(path);
    if (handle !== undefined) this.disk.closeDirectory(handle);
    this.open.delete(path);
  }
}

function isAtOrBelow(path: string, top: string): boolean {
  if (path.length < top.length || !path.startsWith(top)) return false;
  return path.length === top.length || path[top.length] === "/";
}
