/** Reaches entries below a directory without following a link. */
import fs from "node:fs";
import { entryPath } from "../../sys/entry-path.ts";
import { O_PATH } from "../../sys/files.ts";
import { type FileStats, statEntry } from "../../sys/stat.ts";
import { errorCode } from "../../sys/system-error.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";

/**
 * Reaches entries below a directory without ever following a symbolic link on the way, even when somebody swaps a
 * directory for a link in that moment: each component is opened by itself, from the descriptor of the one before,
 * and an entry is then named as /proc/self/fd/N/name. Descriptors of directories used lately are kept.
 */

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = fs.constants;
const KEPT_DESCRIPTORS = 128;

/** Opens a directory that is an entry of another; throws ENOTDIR for a symbolic link. */
export function openDirectory(parent: number, name: string): number {
  return fs.openSync(entryPath(parent, name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

export class Directories {
  readonly root: number;
  /** Open descriptors by path, the one used last at the end. */
  private readonly open = new Map<string, number>();
  /** That one once more: entries of one directory mostly come together. */
  private last: { readonly path: string; readonly descriptor: number } | undefined;

  /** @param path the directory that everything is below; it may itself be reached over links */
  constructor(path: string | Buffer) {
    this.root = fs.openSync(path, O_RDONLY | O_DIRECTORY);
  }

  /**
   * The descriptor of a directory below the root; it stays open until others have been asked for often.
   *
   * @throws an error with code ENOENT or ENOTDIR where there is no such directory
   */
  descriptor(path: string): number {
    if (path === "") return this.root;
    if (this.last?.path === path) return this.last.descriptor;
    const descriptor = this.used(path) ?? this.opened(path);
    this.last = { path, descriptor };
    return descriptor;
  }

  /** The same, or undefined where a component is missing or is not a directory. */
  find(path: string): number | undefined {
    try {
      return this.descriptor(path);
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw error;
    }
  }

  /** The stats of an entry by its path, of a link itself; undefined where it, or its directory, is not there. */
  statsOf(path: string): FileStats | undefined {
    const parent = this.find(directoryOf(path));
    return parent === undefined ? undefined : statEntry(parent, nameOf(path));
  }

  /** Forgets a directory that is going to be replaced, and all below it. */
  forget(path: string): void {
    for (const known of this.open.keys()) if (isAtOrBelow(known, path)) this.closeOne(known);
    this.last = undefined;
  }

  /** Forgets every directory but the root: somebody else may have moved them. */
  forgetAll(): void {
    for (const descriptor of this.open.values()) fs.closeSync(descriptor);
    this.open.clear();
    this.last = undefined;
  }

  close(): void {
    this.forgetAll();
    fs.closeSync(this.root);
  }

  private used(path: string): number | undefined {
    const known = this.open.get(path);
    if (known === undefined) return undefined;
    this.open.delete(path);
    this.open.set(path, known);
    return known;
  }

  private opened(path: string): number {
    const slash = path.lastIndexOf("/");
    const parent = this.nearest(slash === -1 ? "" : path.slice(0, slash));
    return this.keep(path, openDirectory(parent, path.slice(slash + 1)));
  }

  /** Walks down to a directory from the deepest ancestor that is open; not recursive, for paths may be deep. */
  private nearest(path: string): number {
    let ancestor = path;
    while (ancestor !== "" && !this.open.has(ancestor)) {
      ancestor = ancestor.slice(0, Math.max(0, ancestor.lastIndexOf("/")));
    }
    let descriptor = this.open.get(ancestor) ?? this.root;
    for (let end = ancestor.length; end < path.length;) {
      const start = end === 0 ? 0 : end + 1;
      const slash = path.indexOf("/", start);
      end = slash === -1 ? path.length : slash;
      descriptor = this.keep(path.slice(0, end), openDirectory(descriptor, path.slice(start, end)));
    }
    return descriptor;
  }

  private keep(path: string, descriptor: number): number {
    this.open.set(path, descriptor);
    if (this.open.size > KEPT_DESCRIPTORS) {
      const [oldest] = this.open.keys();
      if (oldest !== undefined) this.closeOne(oldest);
      this.last = undefined;
    }
    return descriptor;
  }

  private closeOne(path: string): void {
    const descriptor = this.open.get(path);
    if (descriptor !== undefined) fs.closeSync(descriptor);
    this.open.delete(path);
  }
}

function isAtOrBelow(path: string, top: string): boolean {
  if (path.length < top.length || !path.startsWith(top)) return false;
  return path.length === top.length || path[top.length] === "/";
}
