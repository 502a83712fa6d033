/** Decisions about entries at a member: the result of comparing both sides, before anything is done. */
import type { Reason } from "../../base/reason.ts";
import type { Entry, EntryType } from "../../wire/entry.ts";
import type { ToldChunk } from "../../wire/manifest.ts";
import type { ChunkTags } from "../entries/chunk-tags.ts";
import type { Attribute } from "../../wire/entry.ts";
import type { Metadata } from "../../wire/metadata.ts";

/** The position of an entry. */
export interface Place {
  /** Its number in the manifest. */
  readonly number: number;
  readonly path: string;
  /** Its directory exists in the tree, so the commit has to move the entry itself. */
  readonly hasRealParent: boolean;
}

/** The attributes that a directory gets. */
export interface DirectoryAttributes {
  readonly metadata: Metadata;
  /** Extended attributes; undefined if they stay as they are. */
  readonly attributes: readonly Attribute[] | undefined;
}

/**
 * A push, a dry run and a check reach the same decisions. They differ only in the executor, which carries them out or
 * reports them (see apply/).
 */
export type Decision =
  /** The entry is made new; the contents of a file come from the sender, unless one of its look-alikes has them. */
  | {
      readonly kind: "place";
      readonly place: Place;
      readonly entry: Entry;
      /** Paths of this member's own files that may have the contents. */
      readonly lookAlikes: readonly string[];
    }
  /** The sender has told the digest of a file that was placed: a look-alike of it may be the same. */
  | {
      readonly kind: "recognize";
      /** The number of its entry. */
      readonly number: number;
      /** The first TOLD_DIGEST_BYTES of its SHA-256. */
      readonly digest: Uint8Array;
    }
  /** The sender has told chunks of files that were placed: this member may have some of them. */
  | {
      readonly kind: "find";
      readonly chunks: readonly ToldChunk[];
      readonly tags: ChunkTags;
      /** Called with the index of each chunk of which the contents are needed. */
      readonly need: (index: number) => void;
    }
  /** A file whose contents are right: a new file is made from them, with other attributes. */
  | { readonly kind: "copy"; readonly place: Place; readonly entry: Entry }
  /** The entry becomes another name of a file. */
  | { readonly kind: "link"; readonly place: Place; readonly entry: Entry }
  /** An existing directory gets other attributes; `isEntry` if it differed itself, and not only its contents. */
  | {
      readonly kind: "adjust";
      readonly path: string;
      readonly set: DirectoryAttributes;
      readonly isEntry: boolean;
    }
  /** An existing directory on the way to a change gets back its mode, and a time: nothing else of it differs. */
  | { readonly kind: "restore"; readonly path: string; readonly mode: number; readonly mtimeNs: bigint }
  /** The path is deleted with everything in it. */
  | { readonly kind: "remove"; readonly path: string }
  /** The path is deleted together with a directory above it that is deleted or replaced. */
  | { readonly kind: "goes"; readonly path: string }
  /** The entry is left out; the others are not affected. */
  | { readonly kind: "skip"; readonly path: string; readonly reason: Reason }
  /** A push cannot carry out the decision; a check need not. */
  | { readonly kind: "refuse"; readonly reason: Reason };

/** The result of a decision: a copy may need the sender's contents after all, and some entries cannot be made. */
export type Outcome = "done" | "needs contents" | "left out";

/** Decisions one by one; undefined when other work may get its turn. Each is answered with its result. */
export type Decisions<T> = Generator<Decision | undefined, T, Outcome>;

/**
 * The steps of a commit, in the form that survives a crash (apply/journal.ts). `place`: move a staged entry to its
 * place. `adjust`: set the attributes of a directory that existed before. `finish`: set those of a staged directory,
 * after everything in it. `remove`: delete an entry with everything below it. `restore`: set mode and time of a directory
 * that existed before and is only on the way; its owner and its extended attributes stay. `goes`: no step of its own; it
 * names the entries below directories that other steps delete or replace, by hashes, so that the commit deletes nothing
 * else.
 */
export const StepKind = { place: 1, adjust: 2, finish: 3, remove: 4, restore: 5, goes: 6 } as const;

export interface Step {
  readonly kind: (typeof StepKind)[keyof typeof StepKind];
  readonly type: EntryType;
  readonly path: string;
  readonly metadata: Metadata;
  /** Extended attributes; undefined if they stay as they are. */
  readonly attributes: readonly Attribute[] | undefined;
  /** For `goes`: the hashes of the paths, HASH_BYTES each. */
  readonly hashes?: Uint8Array;
}
