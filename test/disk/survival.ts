import type { Chance } from "./chance.ts";
import { copyImages, dropUnreachable, type Image, inodeOf } from "./changes.ts";
import { DiskError } from "./disk-error.ts";
import type { Inode } from "./inode.ts";
import { type MemoryOptions, MemoryState, usedBytes } from "./memory-state.ts";
import { PAGE_BYTES } from "./sparse-contents.ts";

// The inode of the root as on ext4; any numbers would do.
const ROOT_INODE = 2;
const ROOT_DEVICE = 1;

/** The state of a disk that is empty. */
export function freshState(options: MemoryOptions, capacityBytes: number): MemoryState {
  const { identity, clock } = options;
  const root = MemoryState.makeRoot(ROOT_INODE, ROOT_DEVICE, identity, clock());
  const state = new MemoryState(new Map([[root.number, root]]), root, options);
  state.addVolume(ROOT_DEVICE, copyImages([state.now]), capacityBytes);
  return state;
}

/** A state in which a disk may be after a crash: everything in it is durable. */
export function survivingState(state: MemoryState, chance: Chance): MemoryState {
  const volumes = [...state.volumes.values()];
  const now = copyImages(volumes.map(({ journal }) => journal.durable));
  for (const { journal } of volumes) journal.applySurvivors(now, chance);
  const root = inodeOf(now, state.root.number);
  dropUnreachable(now, root);
  for (const inode of now.values()) inode.mtimeSequence = 0;
  const survived = new MemoryState(now, root, state.options);
  const durable = copyImages([now]);
  for (const { device, capacityBytes } of volumes) {
    const inodes = [...durable].filter(([, inode]) => inode.birth.device === device);
    const volume = survived.addVolume(device, new Map(inodes), capacityBytes);
    // A root needs no room.
    volume.usedBytes = -PAGE_BYTES;
    for (const [, inode] of inodes) volume.usedBytes += usedBytes(inode);
  }
  return survived;
}

/** Mounts another file system on an empty directory. It makes everything durable first. */
export function addMount(state: MemoryState, directory: Inode, name: string, capacityBytes: number): void {
  const covered = state.find(directory, name, "mount");
  if (!covered.isDirectory || covered.entries?.size !== 0) throw new DiskError("EINVAL", "mount");
  for (const { journal } of state.volumes.values()) journal.syncAll();
  const device = ROOT_DEVICE + state.volumes.size;
  const { identity, clock } = state;
  const root = MemoryState.makeRoot(state.takeInodeNumber(), device, identity, clock());
  root.isMountPoint = true;
  const durableRoot = root.copy();
  durableRoot.links = 1;
  cover(state.now, directory, name, root);
  cover(state.volumeOf(directory).journal.durable, directory, name, durableRoot);
  state.addVolume(device, new Map([[durableRoot.number, durableRoot]]), capacityBytes);
  state.now.set(root.number, root);
}

function cover(image: Image, directory: Inode, name: string, root: Inode): void {
  const parent = inodeOf(image, directory.number);
  const covered = parent.entries?.get(name);
  if (covered !== undefined) image.delete(covered.number);
  parent.entries?.set(name, root);
  root.parent = parent;
}
