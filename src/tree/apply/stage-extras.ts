/** Options of a staged transfer. */
import { DEFAULT_DELETE_LIMIT, type DeleteLimit } from "../decide/superfluous.ts";
import type { Protection } from "../decide/protection.ts";
import type { ManifestRecord } from "./manifest-record.ts";
import type { KeepRules } from "./keeping.ts";

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
  /**
   * Called if there is too little room: finishes to delete what earlier transfers have taken out of the tree.
   *
   * @returns whether there was anything to delete
   */
  readonly makeRoom?: (() => boolean) | undefined;
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
