/** What is to become of an entry at a member: the outcome of comparing both sides, before anything is done about it. */
import type { Reason } from "../../base/reason.ts";
import type { Entry, EntryType } from "../../wire/entry.ts";
import type { Attribute } from "../../wire/entry.ts";
import type { Metadata } from "../../wire/metadata.ts";

/** Where an entry belongs. */
export interface Place {
  /** Its number in the manifest. */
  readonly number: number;
  readonly path: string;
  /** Its directory is in the tree already, so the entry itself has to be moved at the commit. */
  readonly hasRealParent: boolean;
}

/** What a directory is given. */
export interface DirectoryAttributes {
  readonly metadata: Metadata;
  /** Extended attributes; undefined where they are left as they are. */
  readonly attributes: readonly Attribute[] | undefined;
}

/**
 * A push, a dry run and a check come to the same decisions; they differ only in who carries them out (the executors in
 * apply/).
 */
export type Decision =
  /** It is made new; the contents of a file come from the sender. */
  | { readonly kind: "place"; readonly place: Place; readonly entry: Entry }
  /** A file that has its contents already: it is made anew from them, with other attributes. */
  | { readonly kind: "copy"; readonly place: Place; readonly entry: Entry }
  /** It is to be another name of a file. */
  | { readonly kind: "link"; readonly place: Place; readonly entry: Entry }
  /** A directory that is there gets other attributes; `isEntry` where it differed itself, and not only what is in it. */
  | {
      readonly kind: "adjust";
      readonly path: string;
      readonly set: DirectoryAttributes;
      readonly isEntry: boolean;
    }
  /** It is deleted, with all that is in it: `paths`, itself first. */
  | { readonly kind: "remove"; readonly path: string; readonly paths: Iterable<string> }
  /** It goes with a directory that something else takes the place of. */
  | { readonly kind: "replaced"; readonly path: string }
  /** It is left out; the others go on. */
  | { readonly kind: "skip"; readonly path: string; readonly reason: Reason }
  /** The push cannot do what was decided; a check does not have to. */
  | { readonly kind: "refuse"; readonly reason: Reason };

/** What became of a decision: a copy may need the sender's contents after all, and an entry may turn out to be impossible. */
export type Outcome = "done" | "needs contents" | "left out";

/** Decisions one by one; undefined where others may have their turn. Each is answered with what became of it. */
export type Decisions<T> = Generator<Decision | undefined, T, Outcome>;

/**
 * The steps of a commit, in the form in which they outlive a crash (apply/journal.ts). `place`: move what is staged to its
 * place. `adjust`: set the attributes of a directory that was there before. `finish`: set those of a directory that is
 * staged, when all is in it. `remove`: delete what is there, with all below it.
 */
export const StepKind = { place: 1, adjust: 2, finish: 3, remove: 4 } as const;

export interface Step {
  readonly kind: (typeof StepKind)[keyof typeof StepKind];
  readonly type: EntryType;
  readonly path: string;
  readonly metadata: Metadata;
  /** Extended attributes; undefined where they are left as they are. */
  readonly attributes: readonly Attribute[] | undefined;
}
