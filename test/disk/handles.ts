import type { DirectoryHandle, FileHandle } from "../../src/tree/disk/disk.ts";
import { DiskError } from "./disk-error.ts";
import type { Inode } from "./inode.ts";

export type Access = "read" | "write" | "both";

class OpenInode {
  readonly inode: Inode;
  readonly access: Access;
  /** The disk that opened it: no other disk accepts it. */
  readonly disk: object;
  isOpen = true;

  constructor(disk: object, inode: Inode, access: Access) {
    this.disk = disk;
    this.inode = inode;
    this.access = access;
    inode.openHandles++;
  }
}

/** Only this file knows that handles of a MemoryDisk are objects. */
export function openDirectoryHandle(disk: object, inode: Inode): DirectoryHandle {
  return new OpenInode(disk, inode, "read") as unknown as DirectoryHandle;
}

export function openFileHandle(disk: object, inode: Inode, access: Access): FileHandle {
  return new OpenInode(disk, inode, access) as unknown as FileHandle;
}

/** The open inode of a handle; throws EBADF if the handle is closed, or belongs to a disk before a crash. */
export function opened(disk: object, handle: DirectoryHandle | FileHandle, call: string): OpenInode {
  const open = handle as unknown as OpenInode;
  if (!open.isOpen || open.disk !== disk) throw new DiskError("EBADF", call);
  return open;
}

/** Closes a handle; its inode may be unused afterwards. */
export function closed(disk: object, handle: DirectoryHandle | FileHandle): Inode {
  const open = opened(disk, handle, "close");
  open.isOpen = false;
  open.inode.openHandles--;
  return open.inode;
}
