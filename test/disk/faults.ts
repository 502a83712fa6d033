import type { Disk } from "../../src/tree/disk/disk.ts";
import { DiskError } from "./disk-error.ts";

/** The name of a call of a Disk. */
export type CallKind = {
  [Key in keyof Disk]: Disk[Key] extends (...values: never[]) => unknown ? Key : never;
}[keyof Disk];

/** A call that is about to be made. */
export interface DiskCall {
  readonly kind: CallKind;
  /** The first name that the call concerns; empty for a call that has only a handle. */
  readonly name: string;
  /** Whether it changes something, or makes it durable: a crash makes a difference only between such calls. */
  readonly isChange: boolean;
  /** The number of this call among the changes, from 1 on; for any other call, the number of changes before it. */
  readonly change: number;
}

/** Called before each call of the disk; it may throw instead of the call. */
export type DiskHook = (call: DiskCall) => void;

/** The machine stopped in the middle of its work. The error has no code: no handler of disk errors may catch it. */
export class PowerFailure extends Error {
  constructor() {
    super("the machine lost its power");
  }
}

/** Makes a disk fail at a change. */
export function failAt(change: number, code: string): DiskHook {
  return (call) => {
    if (call.isChange && call.change === change) throw new DiskError(code, call.kind);
  };
}

/** Makes all calls of a kind fail, or only those on one name. */
export function failKind(kind: CallKind, code: string, name?: string): DiskHook {
  return (call) => {
    if (call.kind === kind && (name === undefined || call.name === name))
      throw new DiskError(code, call.kind);
  };
}

/** Stops the machine before a change; the MemoryDisk rejects all calls from then on. */
export function stopAt(change: number): DiskHook {
  return (call) => {
    if (call.isChange && call.change === change) throw new PowerFailure();
  };
}
