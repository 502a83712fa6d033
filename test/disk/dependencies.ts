import type { Change } from "./changes.ts";

/** An operation on names or attributes: it survives a crash as a whole, or not at all. */
export interface Operation {
  readonly sequence: number;
  readonly changes: readonly Change[];
  /** The operations that must survive for this one to survive. Operations that are durable by now no longer count. */
  needs: readonly Operation[];
}

/** The parts of an operation on directories that its changes do not show. */
export interface Circumstances {
  /** Directories that get another parent directory. */
  readonly moved: readonly number[];
  /** The directories above their new places, up to the root. */
  readonly above: readonly number[];
  /** A directory that is removed: its entries must be gone first. */
  readonly removed: number | undefined;
}

export const NO_CIRCUMSTANCES: Circumstances = { moved: [], above: [], removed: undefined };

/**
 * The dependencies between pending operations on a file system that keeps no order. An operation needs the one before
 * on the same name in a directory, and the one before on the same kind of attribute of an inode. It also needs the
 * creation of the inodes that it names and of the directories that hold the names. A directory is removed after its
 * entries, and moved after those above it. Operations on attributes do not need the creation of their inode: without
 * the inode, nobody sees whether they survived.
 */
export class Dependencies {
  /** The last pending operation on each object. */
  private readonly last = new Map<string, Operation>();
  private readonly byInode = new Map<number, Set<Operation>>();
  private readonly byDirectory = new Map<number, Set<Operation>>();

  /** Finds the operations that a new one needs. */
  add(operation: Operation, circumstances: Circumstances): void {
    const needs = new Set<Operation>();
    const need = (key: string) => {
      const earlier = this.last.get(key);
      if (earlier !== undefined) needs.add(earlier);
    };
    for (const change of operation.changes) for (const key of keysNeeded(change)) need(key);
    for (const above of circumstances.above) need(placeKey(above));
    if (circumstances.removed !== undefined)
      for (const earlier of this.ofNamesIn(circumstances.removed)) needs.add(earlier);
    operation.needs = [...needs];
    for (const change of operation.changes) {
      this.last.set(keyOf(change), operation);
      if (change.kind === "name") addTo(this.byDirectory, change.directory, operation);
      else if (change.kind !== "birth") addTo(this.byInode, change.inode, operation);
    }
    for (const moved of circumstances.moved) this.last.set(placeKey(moved), operation);
  }

  /** Forgets an operation that has become durable. */
  remove(operation: Operation): void {
    for (const change of operation.changes) {
      this.forget(keyOf(change), operation);
      if (change.kind === "name") {
        removeFrom(this.byDirectory, change.directory, operation);
        if (change.inode !== undefined) this.forget(placeKey(change.inode), operation);
      } else if (change.kind !== "birth") removeFrom(this.byInode, change.inode, operation);
    }
  }

  /** The pending operation that creates an inode. */
  birthOf(inode: number): Iterable<Operation> {
    const birth = this.last.get(birthKey(inode));
    return birth === undefined ? [] : [birth];
  }

  /** Records that an inode is durable, whether it has a name or not. */
  setBorn(inode: number): void {
    this.last.delete(birthKey(inode));
  }

  ofNamesIn(directory: number): Iterable<Operation> {
    return this.byDirectory.get(directory) ?? [];
  }

  ofAttributes(inode: number): Iterable<Operation> {
    return this.byInode.get(inode) ?? [];
  }

  private forget(key: string, operation: Operation): void {
    if (this.last.get(key) === operation) this.last.delete(key);
  }
}

/** Operations together with all that they need, in their order. */
export function withNeeds(
  operations: Iterable<Operation>,
  isPending: (operation: Operation) => boolean,
): Operation[] {
  const wanted = new Set<Operation>(operations);
  for (const operation of wanted)
    for (const needed of operation.needs) if (isPending(needed)) wanted.add(needed);
  return [...wanted].sort((a, b) => a.sequence - b.sequence);
}

function keyOf(change: Change): string {
  if (change.kind === "birth") return birthKey(change.birth.number);
  if (change.kind === "name") return `name ${change.directory}/${change.name}`;
  return `${change.kind} ${change.inode}`;
}

function keysNeeded(change: Change): string[] {
  if (change.kind !== "name") return [keyOf(change)];
  const keys = [keyOf(change), birthKey(change.directory)];
  if (change.inode !== undefined) keys.push(birthKey(change.inode));
  return keys;
}

function birthKey(inode: number): string {
  return `birth ${inode}`;
}

function placeKey(directory: number): string {
  return `place ${directory}`;
}

function addTo(sets: Map<number, Set<Operation>>, key: number, operation: Operation): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([operation]));
  else known.add(operation);
}

function removeFrom(sets: Map<number, Set<Operation>>, key: number, operation: Operation): void {
  const known = sets.get(key);
  if (known === undefined) return;
  known.delete(operation);
  if (known.size === 0) sets.delete(key);
}
