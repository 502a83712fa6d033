import type { Change } from "./changes.ts";
import { DiskError } from "./disk-error.ts";
import { type Inode, TYPE } from "./inode.ts";
import { privilegesLostByWrite } from "./memory-attributes.ts";
import type { MemoryState } from "./memory-state.ts";
import { MAY, requireAccess } from "./permissions.ts";
import { PAGE_BYTES, type SparseContents } from "./sparse-contents.ts";

/** Calls on open files. */

/** Finds a file to open, with the errors of open(). */
export function findToOpen(
  state: MemoryState,
  directory: Inode,
  name: string,
  access: "read" | "write",
): Inode {
  const call = "openat";
  const inode = state.find(directory, name, call);
  const { type } = inode.birth;
  if (type === TYPE.symlink) throw new DiskError("ELOOP", call);
  if (access === "write" && type === TYPE.directory) throw new DiskError("EISDIR", call);
  requireAccess(state.identity, inode, access === "read" ? MAY.read : MAY.write, call);
  if (access === "write" && type === TYPE.file) state.requireWritable(inode, call);
  // There is no driver and no listener. A FIFO without a writer can be read at once, and is empty.
  if (type === TYPE.socket || type === TYPE.characterDevice || type === TYPE.blockDevice)
    throw new DiskError("ENXIO", call);
  if (access === "write" && type === TYPE.fifo) throw new DiskError("ENXIO", call);
  return inode;
}

export function readFrom(inode: Inode, bytes: Uint8Array, offset: number): number {
  if (inode.isDirectory) throw new DiskError("EISDIR", "read");
  return contentsOf(inode, "read").read(bytes, offset);
}

/** Writes as many bytes as there is room for. */
export function writeTo(state: MemoryState, inode: Inode, bytes: Uint8Array, offset: number): number {
  const contents = contentsOf(inode, "write");
  state.requireWritable(inode, "write");
  if (bytes.length === 0) return 0;
  const volume = state.volumeOf(inode);
  const freePages = Math.floor((volume.capacityBytes - volume.usedBytes) / PAGE_BYTES);
  const writable = contents.writableBytes(offset, bytes.length, freePages);
  if (writable === 0) throw new DiskError("ENOSPC", "write");
  const pagesBefore = contents.pageCount;
  // A copy: slice() of a Buffer would be a view of memory into which the caller writes next.
  const copy = new Uint8Array(bytes.subarray(0, writable));
  volume.journal.recordContents(inode, { kind: "write", offset, bytes: copy });
  volume.usedBytes += (contents.pageCount - pagesBefore) * PAGE_BYTES;
  recordTouch(state, inode);
  return writable;
}

export function truncateTo(state: MemoryState, inode: Inode, sizeBytes: number): void {
  const contents = contentsOf(inode, "ftruncate");
  state.requireWritable(inode, "ftruncate");
  const volume = state.volumeOf(inode);
  const pagesBefore = contents.pageCount;
  volume.journal.recordContents(inode, { kind: "truncate", sizeBytes });
  volume.usedBytes += (contents.pageCount - pagesBefore) * PAGE_BYTES;
  recordTouch(state, inode);
}

/** A FIFO has no offsets. */
export function requireSeekable(inode: Inode, call: string): void {
  if (inode.contents === undefined && !inode.isDirectory) throw new DiskError("ESPIPE", call);
}

/** A FIFO cannot be synced. */
export function requireSyncable(inode: Inode): Inode {
  if (inode.contents === undefined && !inode.isDirectory) throw new DiskError("EINVAL", "fsync");
  return inode;
}

export function contentsOf(inode: Inode, call: string): SparseContents {
  if (inode.contents === undefined) throw new DiskError("EINVAL", call);
  return inode.contents;
}

function recordTouch(state: MemoryState, inode: Inode): void {
  const changes: Change[] = privilegesLostByWrite(state, inode);
  changes.push({ kind: "time", inode: inode.number, mtimeNs: state.clock() });
  state.record(inode, changes);
}
