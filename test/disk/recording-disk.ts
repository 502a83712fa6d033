import type { DeviceNumber, SpecialKind } from "../../src/sys/special-files.ts";
import type { FileStats } from "../../src/sys/stat.ts";
import {
  type DirectoryHandle,
  type Disk,
  type FileHandle,
  type FileSystemFacts,
  ITSELF,
} from "../../src/tree/disk/disk.ts";
import { errorCode } from "../../src/sys/system-error.ts";

type Handle = DirectoryHandle | FileHandle;

/**
 * A disk that records each call on another disk that changes something or makes it durable, for tests of their order:
 * `make-file a/b 644`, `rename a -> b`, `sync-contents a`, `unlink a: ENOENT`. Paths start at the root that was opened.
 * After a rename, open directories and files have their new paths.
 */
export class RecordingDisk implements Disk {
  /** The calls so far; a test may empty it. */
  readonly lines: string[] = [];
  private readonly disk: Disk;
  /** The paths of the open handles. */
  private readonly paths = new Map<Handle, string>();
  /** Whether calls that change nothing are recorded as well. */
  private readonly withLooks: boolean;

  constructor(disk: Disk, { withLooks = false } = {}) {
    this.disk = disk;
    this.withLooks = withLooks;
  }

  get user(): number {
    return this.disk.user;
  }

  get hasExactTimes(): boolean {
    return this.disk.hasExactTimes;
  }

  get canFindHoles(): boolean {
    return this.disk.canFindHoles;
  }

  get hasAttributes(): boolean {
    return this.disk.hasAttributes;
  }

  openRoot(path: string | Buffer): DirectoryHandle {
    return this.opened(
      "",
      this.look(`open-root ${String(path)}`, () => this.disk.openRoot(path)),
    );
  }

  openDirectory(parent: DirectoryHandle, name: string): DirectoryHandle {
    const path = this.at(parent, name);
    return this.opened(
      path,
      this.look(`open-directory ${path}`, () => this.disk.openDirectory(parent, name)),
    );
  }

  closeDirectory(directory: DirectoryHandle): void {
    this.look(`close-directory ${this.of(directory)}`, () => this.disk.closeDirectory(directory));
    this.paths.delete(directory);
  }

  statDirectory(directory: DirectoryHandle): FileStats {
    return this.look(`stat-directory ${this.of(directory)}`, () => this.disk.statDirectory(directory));
  }

  fileSystemOf(directory: DirectoryHandle): FileSystemFacts {
    return this.look(`file-system-of ${this.of(directory)}`, () => this.disk.fileSystemOf(directory));
  }

  checkWritable(directory: DirectoryHandle): void {
    this.look(`check-writable ${this.of(directory)}`, () => this.disk.checkWritable(directory));
  }

  projectOf(directory: DirectoryHandle): number {
    return this.look(`project-of ${this.of(directory)}`, () => this.disk.projectOf(directory));
  }

  list(directory: DirectoryHandle, isMarked?: boolean): string[] {
    return this.look(`list ${this.of(directory)}`, () => this.disk.list(directory, isMarked));
  }

  listSlowly(directory: DirectoryHandle): Generator<string> {
    return this.look(`list-slowly ${this.of(directory)}`, () => this.disk.listSlowly(directory));
  }

  stat(parent: DirectoryHandle, name: string): FileStats | undefined {
    return this.look(`stat ${this.at(parent, name)}`, () => this.disk.stat(parent, name));
  }

  makeDirectory(parent: DirectoryHandle, name: string, mode: number): void {
    const words = `make-directory ${this.at(parent, name)} ${mode.toString(8)}`;
    this.change(words, () => this.disk.makeDirectory(parent, name, mode));
  }

  makeSymlink(parent: DirectoryHandle, name: string, target: string): void {
    const words = `make-symlink ${this.at(parent, name)} -> ${target}`;
    this.change(words, () => this.disk.makeSymlink(parent, name, target));
  }

  makeSpecial(
    parent: DirectoryHandle,
    name: string,
    kind: SpecialKind,
    mode: number,
    device: DeviceNumber,
  ): void {
    const words = `make-special ${this.at(parent, name)} ${kind} ${mode.toString(8)}`;
    this.change(words, () => this.disk.makeSpecial(parent, name, kind, mode, device));
  }

  link(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void {
    const words = `link ${this.at(from, name)} -> ${this.at(to, newName)}`;
    this.change(words, () => this.disk.link(from, name, to, newName));
  }

  rename(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void {
    const [source, target] = [this.at(from, name), this.at(to, newName)];
    this.change(`rename ${source} -> ${target}`, () => this.disk.rename(from, name, to, newName));
    this.move((path) => moved(path, source, target));
  }

  exchange(from: DirectoryHandle, name: string, to: DirectoryHandle, otherName: string): boolean {
    const [source, target] = [this.at(from, name), this.at(to, otherName)];
    const isDone = this.disk.exchange(from, name, to, otherName);
    this.lines.push(`exchange ${source} <-> ${target}${isDone ? "" : ": no"}`);
    if (isDone) this.move((path) => moved(path, source, target) ?? moved(path, target, source));
    return isDone;
  }

  unlink(parent: DirectoryHandle, name: string): void {
    this.change(`unlink ${this.at(parent, name)}`, () => this.disk.unlink(parent, name));
  }

  removeDirectory(parent: DirectoryHandle, name: string): void {
    this.change(`remove-directory ${this.at(parent, name)}`, () => this.disk.removeDirectory(parent, name));
  }

  readLink(parent: DirectoryHandle, name: string): string {
    return this.look(`read-link ${this.at(parent, name)}`, () => this.disk.readLink(parent, name));
  }

  setOwner(parent: DirectoryHandle, name: string, user: number, group: number): void {
    const words = `set-owner ${this.at(parent, name)} ${user}:${group}`;
    this.change(words, () => this.disk.setOwner(parent, name, user, group));
  }

  setGroup(parent: DirectoryHandle, name: string, group: number, owner: number | undefined): void {
    const words = `set-group ${this.at(parent, name)} ${group}`;
    this.change(words, () => this.disk.setGroup(parent, name, group, owner));
  }

  setMode(parent: DirectoryHandle, name: string, mode: number): void {
    const words = `set-mode ${this.at(parent, name)} ${mode.toString(8)}`;
    this.change(words, () => this.disk.setMode(parent, name, mode));
  }

  setTime(parent: DirectoryHandle, name: string, mtimeNs: bigint): void {
    const words = `set-time ${this.at(parent, name)} ${mtimeNs}`;
    this.change(words, () => this.disk.setTime(parent, name, mtimeNs));
  }

  listAttributes(parent: DirectoryHandle, name: string): string[] {
    const words = `list-attributes ${this.at(parent, name)}`;
    return this.look(words, () => this.disk.listAttributes(parent, name));
  }

  readAttribute(parent: DirectoryHandle, name: string, attribute: string): Uint8Array | undefined {
    const words = `read-attribute ${this.at(parent, name)} ${attribute}`;
    return this.look(words, () => this.disk.readAttribute(parent, name, attribute));
  }

  setAttribute(parent: DirectoryHandle, name: string, attribute: string, value: Uint8Array): void {
    const words = `set-attribute ${this.at(parent, name)} ${attribute}`;
    this.change(words, () => this.disk.setAttribute(parent, name, attribute, value));
  }

  removeAttribute(parent: DirectoryHandle, name: string, attribute: string): void {
    const words = `remove-attribute ${this.at(parent, name)} ${attribute}`;
    this.change(words, () => this.disk.removeAttribute(parent, name, attribute));
  }

  tryTimes(directory: DirectoryHandle, timesNs: readonly bigint[]): readonly bigint[] | undefined {
    return this.look(`try-times ${this.of(directory)}`, () => this.disk.tryTimes(directory, timesNs));
  }

  makeFile(parent: DirectoryHandle, name: string, mode: number): FileHandle {
    const path = this.at(parent, name);
    const make = () => this.disk.makeFile(parent, name, mode);
    return this.opened(path, this.change(`make-file ${path} ${mode.toString(8)}`, make));
  }

  openFile(parent: DirectoryHandle, name: string, access: "read" | "write"): FileHandle {
    const path = this.at(parent, name);
    const open = () => this.disk.openFile(parent, name, access);
    return this.opened(path, this.look(`open-file ${path} ${access}`, open));
  }

  closeFile(file: FileHandle): void {
    this.look(`close-file ${this.of(file)}`, () => this.disk.closeFile(file));
    this.paths.delete(file);
  }

  statFile(file: FileHandle): FileStats {
    return this.look(`stat-file ${this.of(file)}`, () => this.disk.statFile(file));
  }

  read(file: FileHandle, bytes: Uint8Array, offset: number): number {
    const words = `read ${this.of(file)} ${bytes.length} at ${offset}`;
    return this.look(words, () => this.disk.read(file, bytes, offset));
  }

  write(file: FileHandle, bytes: Uint8Array, offset: number): number {
    const words = `write ${this.of(file)} ${bytes.length} at ${offset}`;
    return this.change(words, () => this.disk.write(file, bytes, offset));
  }

  truncate(file: FileHandle, sizeBytes: number): void {
    this.change(`truncate ${this.of(file)} ${sizeBytes}`, () => this.disk.truncate(file, sizeBytes));
  }

  cloneContents(from: FileHandle, to: FileHandle): boolean {
    return this.change(`clone ${this.of(from)} to ${this.of(to)}`, () => this.disk.cloneContents(from, to));
  }

  nextData(file: FileHandle, offset: number): number | undefined {
    return this.look(`next-data ${this.of(file)} ${offset}`, () => this.disk.nextData(file, offset));
  }

  nextHole(file: FileHandle, offset: number): number {
    return this.look(`next-hole ${this.of(file)} ${offset}`, () => this.disk.nextHole(file, offset));
  }

  listFileAttributes(file: FileHandle): string[] {
    return this.look(`list-file-attributes ${this.of(file)}`, () => this.disk.listFileAttributes(file));
  }

  readFileAttribute(file: FileHandle, attribute: string): Uint8Array | undefined {
    const words = `read-file-attribute ${this.of(file)} ${attribute}`;
    return this.look(words, () => this.disk.readFileAttribute(file, attribute));
  }

  setFileOwner(file: FileHandle, user: number, group: number): void {
    const words = `set-file-owner ${this.of(file)} ${user}:${group}`;
    this.change(words, () => this.disk.setFileOwner(file, user, group));
  }

  setFileMode(file: FileHandle, mode: number): void {
    const words = `set-file-mode ${this.of(file)} ${mode.toString(8)}`;
    this.change(words, () => this.disk.setFileMode(file, mode));
  }

  setFileTime(file: FileHandle, mtimeNs: bigint): void {
    this.change(`set-file-time ${this.of(file)} ${mtimeNs}`, () => this.disk.setFileTime(file, mtimeNs));
  }

  syncContents(file: FileHandle): void {
    this.change(`sync-contents ${this.of(file)}`, () => this.disk.syncContents(file));
  }

  syncFile(file: FileHandle): void {
    this.change(`sync-file ${this.of(file)}`, () => this.disk.syncFile(file));
  }

  syncDirectory(directory: DirectoryHandle): void {
    this.change(`sync-directory ${this.of(directory)}`, () => this.disk.syncDirectory(directory));
  }

  syncFileSystem(directory: DirectoryHandle): void {
    this.change(`sync-file-system ${this.of(directory)}`, () => this.disk.syncFileSystem(directory));
  }

  private look<T>(words: string, run: () => T): T {
    return this.withLooks ? this.change(words, run) : run();
  }

  private change<T>(words: string, run: () => T): T {
    try {
      const result = run();
      this.lines.push(words);
      return result;
    } catch (error) {
      this.lines.push(`${words}: ${errorCode(error)}`);
      throw error;
    }
  }

  private opened<H extends Handle>(path: string, handle: H): H {
    this.paths.set(handle, path);
    return handle;
  }

  private of(handle: Handle): string {
    const path = this.paths.get(handle) ?? "(closed)";
    return path === "" ? ITSELF : path;
  }

  private at(parent: DirectoryHandle, name: string): string {
    const directory = this.of(parent);
    if (name === ITSELF) return directory;
    return directory === ITSELF ? name : `${directory}/${name}`;
  }

  private move(newPath: (path: string) => string | undefined): void {
    for (const [handle, path] of this.paths) this.paths.set(handle, newPath(path) ?? path);
  }
}

/** The path after a rename; undefined if it is not the renamed path or below it. */
function moved(path: string, from: string, to: string): string | undefined {
  if (path === from) return to;
  return path.startsWith(`${from}/`) ? to + path.slice(from.length) : undefined;
}
