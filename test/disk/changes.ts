import { type Birth, Inode } from "./inode.ts";

/** All inodes of one state of a disk, by their numbers. */
export type Image = Map<number, Inode>;

/** A step of an operation on names or attributes, in a form that can be applied to another image. */
export type Change =
  | { readonly kind: "birth"; readonly birth: Birth }
  /** Gives a name in a directory to an inode, or to none; sets the time of the directory. */
  | {
      readonly kind: "name";
      readonly directory: number;
      readonly name: string;
      readonly inode: number | undefined;
      readonly timeNs: bigint;
    }
  | { readonly kind: "mode"; readonly inode: number; readonly mode: number }
  | { readonly kind: "owner"; readonly inode: number; readonly user: number; readonly group: number }
  | { readonly kind: "time"; readonly inode: number; readonly mtimeNs: bigint }
  | {
      readonly kind: "attribute";
      readonly inode: number;
      readonly name: string;
      readonly value: Uint8Array | undefined;
    };

/** A change of the contents of a file. */
export type ContentChange =
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly sizeBytes: number };

/** @param sequence the number of the operation, counted up */
export function applyChange(image: Image, change: Change, sequence: number): void {
  switch (change.kind) {
    case "birth":
      if (!image.has(change.birth.number)) image.set(change.birth.number, new Inode(change.birth));
      return;
    case "name":
      applyName(image, change, sequence);
      return;
    case "mode":
      inodeOf(image, change.inode).mode = change.mode;
      return;
    case "owner": {
      const inode = inodeOf(image, change.inode);
      inode.user = change.user;
      inode.group = change.group;
      return;
    }
    case "time":
      applyTime(inodeOf(image, change.inode), change.mtimeNs, sequence);
      return;
    case "attribute":
      applyAttribute(inodeOf(image, change.inode), change.name, change.value);
  }
}

export function applyContentChange(inode: Inode, change: ContentChange): void {
  if (change.kind === "write") inode.contents?.write(change.bytes, change.offset);
  else inode.contents?.truncate(change.sizeBytes);
}

export function inodeOf(image: Image, number: number): Inode {
  const inode = image.get(number);
  if (inode === undefined) throw new Error(`inode ${number} is not in this image`);
  return inode;
}

/** Copies images that together form one tree of names; mount points lead from one to another. */
export function copyImages(images: Iterable<Image>): Image {
  const copies: Image = new Map();
  const originals = [...images].flatMap((image) => [...image.values()]);
  for (const original of originals) copies.set(original.number, original.copy());
  for (const original of originals) {
    const copy = inodeOf(copies, original.number);
    for (const [name, entry] of original.entries ?? []) attach(copy, name, inodeOf(copies, entry.number));
    // A root has no directory that names it.
    if (original.isDirectory && original.parent === undefined) copy.links = original.links;
  }
  return copies;
}

/** Removes all inodes that cannot be reached from a root. */
export function dropUnreachable(image: Image, root: Inode): void {
  const reached = new Set<Inode>([root]);
  for (const directory of reached) for (const entry of directory.entries?.values() ?? []) reached.add(entry);
  for (const inode of image.values()) if (!reached.has(inode)) image.delete(inode.number);
}

function applyName(image: Image, change: Extract<Change, { kind: "name" }>, sequence: number): void {
  const directory = inodeOf(image, change.directory);
  const old = directory.entries?.get(change.name);
  if (change.inode !== undefined) attach(directory, change.name, inodeOf(image, change.inode));
  else directory.entries?.delete(change.name);
  if (old !== undefined) detach(directory, old);
  applyTime(directory, change.timeNs, sequence);
}

function attach(directory: Inode, name: string, inode: Inode): void {
  directory.entries?.set(name, inode);
  inode.links++;
  if (!inode.isDirectory) return;
  inode.parent = directory;
  directory.subdirectories++;
}

function detach(directory: Inode, inode: Inode): void {
  inode.links--;
  if (!inode.isDirectory) return;
  directory.subdirectories--;
  if (inode.links === 0) inode.parent = undefined;
}

function applyTime(inode: Inode, mtimeNs: bigint, sequence: number): void {
  if (sequence < inode.mtimeSequence) return;
  inode.mtimeNs = mtimeNs;
  inode.mtimeSequence = sequence;
}

function applyAttribute(inode: Inode, name: string, value: Uint8Array | undefined): void {
  if (value !== undefined) (inode.attributes ??= new Map()).set(name, value);
  else inode.attributes?.delete(name);
}
