/** Adds digests to the entries of files, if contents are compared. */
import { type Reason, reason } from "../../base/reason.ts";
import { EntryType, NO_EXTRAS } from "../../wire/entry.ts";
import { FileDigest } from "../entries/digest.ts";
import type { Directories } from "../disk/directories.ts";
import { reasonFor } from "../reasons/explain.ts";
import type { FoundEntry } from "./look.ts";

/** Pieces of files that are read before other work gets its turn: some 8 ms of SHA-256. */
const PIECES = 16;

/** The result for an entry: the entry with its digest, or the reason of a failure; undefined while its file is read. */
export type Digested = FoundEntry | { readonly failure: Reason; readonly path: string } | undefined;

/** Adds digests to the entries of files, if contents are compared. It reads one file at a time. */
export class DigestedEntries {
  private readonly directories: Directories;
  private readonly digestsData: boolean;
  private file: FileDigest | undefined;

  /** @param digestsData whether all members understand digests of data alone */
  constructor(directories: Directories, digestsData: boolean) {
    this.directories = directories;
    this.digestsData = digestsData;
  }

  /** Works on an entry; the caller repeats the call with the same one until there is a result. */
  step(found: FoundEntry): Digested {
    const { entry, directory, path } = found;
    if (entry.type !== EntryType.file || entry.size === 0) return found;
    const isDataDigest = this.digestsData && entry.extras?.allocated !== undefined;
    const form = isDataDigest ? "data" : "contents";
    try {
      this.file ??= new FileDigest(this.directories, directory.path, entry.name, form, found.stats);
      const digest = this.read(this.file);
      if (digest === undefined) return undefined;
      this.close();
      if (digest === "changed") return { failure: reason("changed-while-read"), path };
      const extras = { ...(entry.extras ?? NO_EXTRAS), digest, isDataDigest };
      return { ...found, entry: { ...entry, extras } };
    } catch (error) {
      this.close();
      return { failure: reasonFor(error), path };
    }
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }

  private read(file: FileDigest): Uint8Array | "changed" | undefined {
    for (let pieces = 0; pieces < PIECES; pieces++) {
      const digest = file.step();
      if (digest !== undefined) return digest;
    }
    return undefined;
  }
}
