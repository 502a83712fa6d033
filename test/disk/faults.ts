import type { Disk } from "../../src/tree/disk/disk.ts";
import { DiskError } from "./disk-error.ts";

/** The name of a call of a Disk. */
export type CallKind = {
  [Key in keyof Disk]: Disk[Key] extends (...values: never[]) => unknown ? Key : never;
}[keyof Disk];

/** A call that is about to be made. */
export interface DiskCall {
  readonly kind: CallKind;
  /** The first name that it has to do with; empty for a call on a handle alone. */
  readonly name: string;
  /** Whether it changes something, or makes it durable: the calls between which a crash makes a difference. */
  readonly isChange: boolean;
  /** The number of this call among the changes, from 1 on; of any other call, how many changes were before it. */
  readonly change: number;
}

/** Sees each call before it is made, and may throw in its place. */
export type DiskHook = (call: DiskCall) => void;

/** The machine stopped in the middle of its work. It has no code: nothing that handles errors of a disk may catch it. */
export class PowerFailure extends Error {
  constructor() {
    super("the machine lost its power");
  }
}

/** Lets a disk fail at a change. */
export function failAt(change: number, code: string): DiskHook {
  return (call) => {
    if (call.isChange && call.change === change) throw new DiskError(code, call.kind);
  };
}

/** Lets all calls of a kind fail, or those on one name. */
export function failKind(kind: CallKind, code: string, name?: string): DiskHook {
  return (call) => {
    if (call.kind === kind && (name === undefined || call.name === name))
      throw new DiskError(code, call.kind);
  };
}

/** Stops the machine before a change; a MemoryDisk takes no call from then on. */
export function stopAt(change: number): DiskHook {
  return (call) => {
    if (call.isChange && call.change === change) throw new PowerFailure();
  };
}
