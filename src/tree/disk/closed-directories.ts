/** Opens directories that deny this process's own user access, for the moment of one call. */
import type { FileStats } from "../../sys/stat.ts";
import { errorCode } from "../../sys/system-error.ts";
import { type DirectoryHandle, type Disk, type FileHandle, ITSELF } from "./disk.ts";

/** What the owner of a directory needs to list it, to reach entries of it, and to change them. */
export const FULL_ACCESS = 0o700;
const PERMISSIONS = 0o7777;
const SET_GROUP_ID = 0o2000;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- TypeScript asks for this of a class that extends any other
type DiskClass = new (...options: any[]) => Disk;

/**
 * A disk whose calls also work in directories of this process's own user that are closed to it, such as those of mode
 * 0555 in a module cache. Only a call that has failed for lack of permission opens them, by their handles; they are
 * closed again before it returns. A process that is killed in between leaves one open: if the call belongs to a commit,
 * its journal has the mode, and otherwise the next push finds it to differ.
 *
 * Another user's directories stay closed, and so do those whose set-group-id bit would be lost with the change.
 *
 * @param isOwnGroup whether this process is in a group
 */
export function withClosedDirectories<T extends DiskClass>(
  Class: T,
  isOwnGroup: (group: number) => boolean = () => false,
) {
  return class extends Class {
    private readonly opener: Opener = new Opener(this, isOwnGroup);

    override openDirectory(parent: DirectoryHandle, name: string): DirectoryHandle {
      return this.opener.attempt([parent], () => super.openDirectory(parent, name));
    }

    override checkWritable(directory: DirectoryHandle): void {
      this.opener.attempt([directory], () => super.checkWritable(directory));
    }

    override list(directory: DirectoryHandle, isMarked?: boolean): string[] {
      return this.opener.attempt([directory], () => super.list(directory, isMarked));
    }

    override listSlowly(directory: DirectoryHandle): Generator<string> {
      return this.opener.attempt([directory], () => begun(super.listSlowly(directory)));
    }

    override stat(parent: DirectoryHandle, name: string): FileStats | undefined {
      return this.opener.attempt([parent], () => super.stat(parent, name));
    }

    override link(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void {
      this.opener.attempt([from, to], () => super.link(from, name, to, newName));
    }

    override rename(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void {
      this.opener.attemptMove(from, name, to, newName, () => {
        super.rename(from, name, to, newName);
        return true;
      });
    }

    override exchange(from: DirectoryHandle, name: string, to: DirectoryHandle, otherName: string): boolean {
      if (super.exchange(from, name, to, otherName)) return true;
      // The call does not tell why it has failed: it may have been for lack of permission.
      const again = () => {
        if (super.exchange(from, name, to, otherName)) return true;
        throw Object.assign(new Error("the entries cannot be exchanged"), { code: "EACCES" });
      };
      try {
        return this.opener.attemptMove(from, name, to, otherName, again);
      } catch (error) {
        if (errorCode(error) === "EACCES") return false;
        throw error;
      }
    }

    override unlink(parent: DirectoryHandle, name: string): void {
      this.opener.attempt([parent], () => super.unlink(parent, name));
    }

    override removeDirectory(parent: DirectoryHandle, name: string): void {
      this.opener.attempt([parent], () => super.removeDirectory(parent, name));
    }

    override readLink(parent: DirectoryHandle, name: string): string {
      return this.opener.attempt([parent], () => super.readLink(parent, name));
    }

    override listAttributes(parent: DirectoryHandle, name: string): string[] {
      return this.opener.attempt([parent], () => super.listAttributes(parent, name));
    }

    override readAttribute(parent: DirectoryHandle, name: string, attribute: string): Uint8Array | undefined {
      return this.opener.attempt([parent], () => super.readAttribute(parent, name, attribute));
    }

    override setAttribute(parent: DirectoryHandle, name: string, attribute: string, value: Uint8Array): void {
      this.opener.attempt([parent], () => super.setAttribute(parent, name, attribute, value));
    }

    override removeAttribute(parent: DirectoryHandle, name: string, attribute: string): void {
      this.opener.attempt([parent], () => super.removeAttribute(parent, name, attribute));
    }

    override openFile(parent: DirectoryHandle, name: string, access: "read" | "write"): FileHandle {
      return this.opener.attempt([parent], () => super.openFile(parent, name, access));
    }
  };
}

/** A listing that has taken its first step: that one opens the directory, which is open from then on. */
function begun(names: Generator<string>): Generator<string> {
  return goOn(names.next(), names);
}

function* goOn(first: IteratorResult<string, unknown>, names: Generator<string>): Generator<string> {
  try {
    for (let step = first; step.done !== true; step = names.next()) yield step.value;
  } finally {
    names.return(undefined);
  }
}

/** Opens directories of a disk for the moment of some work. */
class Opener {
  private readonly disk: Disk;
  private readonly isOwnGroup: (group: number) => boolean;

  constructor(disk: Disk, isOwnGroup: (group: number) => boolean) {
    this.disk = disk;
    this.isOwnGroup = isOwnGroup;
  }

  /** Does some work, and again with the directories opened if it was not permitted. */
  attempt<R>(directories: readonly DirectoryHandle[], work: () => R): R {
    try {
      return work();
    } catch (error) {
      if (errorCode(error) !== "EACCES") throw error;
      const closers = directories.flatMap((directory) => this.open(directory));
      if (closers.length === 0) throw error;
      try {
        return work();
      } finally {
        for (const close of closers) close();
      }
    }
  }

  /** The same for a move: a directory that gets another parent has to be writable itself, because its `..` changes. */
  attemptMove(
    from: DirectoryHandle,
    name: string,
    to: DirectoryHandle,
    newName: string,
    work: () => boolean,
  ): boolean {
    return this.attempt([from, to], () => {
      const moved = [this.find(from, name), this.find(to, newName)].filter((one) => one !== undefined);
      try {
        return this.attempt(moved, work);
      } finally {
        for (const directory of moved) this.disk.closeDirectory(directory);
      }
    });
  }

  /** An entry of a directory that is open for the moment, if it is a directory. */
  private find(parent: DirectoryHandle, name: string): DirectoryHandle | undefined {
    try {
      return this.disk.openDirectory(parent, name);
    } catch (error) {
      if (["ENOENT", "ENOTDIR", "ELOOP"].includes(errorCode(error))) return undefined;
      throw error;
    }
  }

  /** Opens a directory if it is closed and may be opened; returns how it is closed again. */
  private open(directory: DirectoryHandle): (() => void)[] {
    const { disk } = this;
    const { mode, uid, gid } = disk.statDirectory(directory);
    const isKept = (mode & SET_GROUP_ID) === 0 || this.isOwnGroup(gid);
    if (uid !== disk.user || (mode & FULL_ACCESS) === FULL_ACCESS || !isKept) return [];
    try {
      disk.setMode(directory, ITSELF, (mode & PERMISSIONS) | FULL_ACCESS);
    } catch (error) {
      // A sandbox may forbid it, or the file system may be read-only: then the error of the call itself counts.
      errorCode(error);
      return [];
    }
    return [() => disk.setMode(directory, ITSELF, mode & PERMISSIONS)];
  }
}
