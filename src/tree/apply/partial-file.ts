/** A wanted file whose contents are on their way. */
import type { Attribute } from "../../wire/entry.ts";
import type { Metadata } from "../../wire/metadata.ts";
import type { FileHandle } from "../disk/disk.ts";
import type { ChunkSearch } from "./chunk-search.ts";
import type { WrittenParts } from "./written-parts.ts";

/** A wanted file whose contents are on their way. */
export interface ExpectedFile {
  readonly number: number;
  readonly path: string;
  readonly size: number;
  readonly metadata: Metadata;
  /** Extended attributes; undefined if none are set. */
  readonly attributes: readonly Attribute[] | undefined;
  /** Its directory is not staged, so the commit has to move the file itself. */
  readonly isPlaced: boolean;
  /** Paths of this member's own files that may have the contents. */
  readonly lookAlikes: readonly string[];
}

/** The same while it is written. */
export interface PartialFile extends ExpectedFile {
  /** What of it is written; undefined before anything is, and for a look-alike that is copied. */
  written: WrittenParts | undefined;
  isCreated: boolean;
  /** The mode that the file was created with, if that is its final mode. */
  madeMode: number | undefined;
  handle: FileHandle | undefined;
  /** Its contents are being taken from a look-alike: the sender sends none meanwhile. */
  isTaken: boolean;
  /** It began with the contents of another file, and has no holes where nothing is written. */
  isClone: boolean;
  /** Looks for chunks of it; undefined before any are told. */
  search: ChunkSearch | undefined;
  /** The extended attributes of the member's own file, for a copy of it. */
  kept: readonly Attribute[] | undefined;
}

/** A file of which nothing is written. */
export function partialOf(file: ExpectedFile): PartialFile {
  return {
    ...file,
    written: undefined,
    isCreated: false,
    madeMode: undefined,
    handle: undefined,
    isTaken: false,
    isClone: false,
    search: undefined,
    kept: undefined,
  };
}
