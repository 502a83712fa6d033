/** Calls that find no room are repeated when something could be given up for them. */
import { errorCode } from "../../sys/system-error.ts";
import type { DeviceNumber, SpecialKind } from "../../sys/special-files.ts";
import type { DirectoryHandle, Disk, FileHandle } from "./disk.ts";

/** A file system is full that has less than this. */
const FULL_BYTES = 1024 * 1024;

/** The errors of calls that find no room: no space, no inode, or no more of either for a user. */
const NO_ROOM: readonly string[] = ["ENOSPC", "EDQUOT"];

/** Whether a call has failed because there is no room; rethrows errors without a code. */
export function isNoRoom(error: unknown): boolean {
  return NO_ROOM.includes(errorCode(error));
}

/** What a call has found too little room for. */
export interface Lack {
  /** The error of the call. */
  readonly code: string;
  /** How many bytes it was to write; undefined if it writes no contents. */
  readonly bytes: number | undefined;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- TypeScript asks for this of a class that extends any other
type DiskClass = new (...options: any[]) => Disk;

/**
 * A disk whose calls make room if there is none, and are repeated then: as often as something can be given up. Calls that are made
 * meanwhile make none.
 *
 * A sync is not repeated: after a failed one, the kernel may have forgotten what it could not write.
 *
 * @param makeRoom gives something up; it must not use open directories that others have borrowed. Returns false if there is nothing.
 */
export function withRoom<T extends DiskClass>(Class: T, makeRoom: (lack: Lack) => boolean) {
  let isMaking = false;
  const attempt = <R>(work: () => R, isMeant: (code: string) => boolean = () => true, bytes?: number): R => {
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (isMaking || !isNoRoom(error) || !isMeant(errorCode(error))) throw error;
        isMaking = true;
        try {
          if (!makeRoom({ code: errorCode(error), bytes })) throw error;
        } finally {
          isMaking = false;
        }
      }
    }
  };
  return class extends Class {
    override makeDirectory(parent: DirectoryHandle, name: string, mode: number): void {
      attempt(() => super.makeDirectory(parent, name, mode));
    }

    override makeSymlink(parent: DirectoryHandle, name: string, target: string): void {
      attempt(() => super.makeSymlink(parent, name, target));
    }

    override makeSpecial(
      parent: DirectoryHandle,
      name: string,
      kind: SpecialKind,
      mode: number,
      device: DeviceNumber,
    ): void {
      attempt(() => super.makeSpecial(parent, name, kind, mode, device));
    }

    override makeFile(parent: DirectoryHandle, name: string, mode: number): FileHandle {
      return attempt(() => super.makeFile(parent, name, mode));
    }

    override link(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void {
      attempt(() => super.link(from, name, to, newName));
    }

    override rename(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void {
      attempt(() => super.rename(from, name, to, newName));
    }

    override setOwner(parent: DirectoryHandle, name: string, user: number, group: number): void {
      attempt(() => super.setOwner(parent, name, user, group));
    }

    override setGroup(parent: DirectoryHandle, name: string, group: number, owner: number | undefined): void {
      attempt(() => super.setGroup(parent, name, group, owner));
    }

    override setAttribute(parent: DirectoryHandle, name: string, attribute: string, value: Uint8Array): void {
      // For one that is too long for the file system, some have the same error.
      const isFull = (code: string) => code !== "ENOSPC" || super.fileSystemOf(parent).freeBytes < FULL_BYTES;
      attempt(() => super.setAttribute(parent, name, attribute, value), isFull);
    }

    override setFileOwner(file: FileHandle, user: number, group: number): void {
      attempt(() => super.setFileOwner(file, user, group));
    }

    override write(file: FileHandle, bytes: Uint8Array, offset: number): number {
      return attempt(() => super.write(file, bytes, offset), undefined, bytes.length);
    }

    override truncate(file: FileHandle, sizeBytes: number): void {
      attempt(() => super.truncate(file, sizeBytes));
    }
  };
}
