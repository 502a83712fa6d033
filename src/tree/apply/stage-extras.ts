/** Options of a staged transfer. */
import { DEFAULT_DELETE_LIMIT, type DeleteLimit } from "../decide/superfluous.ts";
import type { Protection } from "../decide/protection.ts";
import type { ManifestRecord } from "./manifest-record.ts";
import type { KeepRules } from "./keeping.ts";

/** What could be had at most. */
export interface Spare {
  readonly bytes: number;
  readonly inodes: number;
}

/** Makes room for a transfer. */
export interface TransferRoom {
  /**
   * Finishes to delete what earlier transfers have taken out of the tree, and what else is going to be deleted.
   *
   * @returns whether there was anything to delete
   */
  clear(isDryRun: boolean): boolean;
  /** What is kept of former files, so that pushes can be taken back: nothing of it is a reason for a transfer to fail. */
  spare(): Spare;
  /**
   * Gives up the oldest of that.
   *
   * @returns whether there was anything to give up
   */
  giveUp(): boolean;
}

/** Options of a node beyond the staging itself. */
export interface StageExtras {
  /** Paths that stay as they are on this member. */
  readonly protection: Protection | undefined;
  /** Whether the paths that change are listed in a file of the staging area, `changes`. */
  readonly listsChanges: boolean;
  readonly deleteLimit: DeleteLimit;
  /** Called with the new name of an entry of somebody else that had the place of the staging area. */
  readonly onMoved?: ((name: string) => void) | undefined;
  /** Called again and again while something long goes on that is not done step by step. */
  readonly onWork?: (() => void) | undefined;
  /** Asked if there is too little room. */
  readonly room?: TransferRoom | undefined;
  /** Whether what the commit replaces or deletes is kept; undefined if it never is. */
  readonly keeping?: KeepRules | undefined;
  /** Records what the transfer publishes; undefined if nobody wants to know. */
  readonly manifest?: ManifestRecord | undefined;
}

export const NO_EXTRAS: StageExtras = {
  protection: undefined,
  listsChanges: false,
  deleteLimit: DEFAULT_DELETE_LIMIT,
};
