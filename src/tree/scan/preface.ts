/** The records of a manifest that come before all entries, and the origin that they tell. */
import { type Exclusion, isExcludedWithin } from "../../wire/excludes.ts";
import type { ManifestWriter } from "../../wire/manifest.ts";
import type { Origin } from "../../wire/origin.ts";
import type { Directories } from "../disk/directories.ts";
import type { ScanRules } from "./request.ts";

/** Parts of the first records that do not come from the rules. */
interface Told {
  /** The sender's base directory. */
  readonly base: string;
  readonly origin: Origin | undefined;
  /** Whether members may ask for digests of files that they have by other names. */
  readonly tellsDigests: boolean;
  /** For the tags of chunks of files that members have in another version; undefined if none are told. */
  readonly chunkKey: Uint8Array | undefined;
  /** Whether a member speaks version 2, in which all terms delete; a check does not delete anyway. */
  readonly hasFormer: boolean;
}

/** The records that members need before the entries; none for a plain push. */
export function prefaceOf(
  { deletes: scope, syncs, isForced, isCheck, excludes }: ScanRules,
  { base, origin, tellsDigests, chunkKey, hasFormer }: Told,
): ((writer: ManifestWriter) => boolean)[] {
  const deletes = scope !== "nothing" || syncs;
  const first = [
    ...(origin === undefined ? [] : [(writer: ManifestWriter) => writer.addOrigin(origin)]),
    ...(chunkKey === undefined ? [] : [(writer: ManifestWriter) => writer.addChunkKey(chunkKey)]),
  ];
  if (!deletes && !isCheck) return first;
  const terms = { isForced, isCheck, deletes: deletes || hasFormer, tellsDigests, base };
  return [
    ...first,
    (writer) => writer.addTerms(terms),
    ...excludes.map((pattern) => (writer: ManifestWriter) => writer.addExclude(pattern)),
  ];
}

/** The origin with the paths that are sent, or whose absence is: all others say nothing. */
export function existingOrigin(
  directories: Directories,
  { origin, syncs }: ScanRules,
  isExcluded: Exclusion,
): Origin | undefined {
  if (origin?.kind !== "publication") return origin;
  const { announced } = origin;
  const paths = announced.scope.paths.filter((path) => {
    if (path === "") return true;
    const isDirectory = isDirectoryAt(directories, path);
    return (syncs || isDirectory !== undefined) && !isExcludedWithin(isExcluded, path, isDirectory === true);
  });
  if (paths.length === 0) return undefined;
  return { ...origin, announced: { ...announced, scope: { ...announced.scope, paths } } };
}

/** The paths of a publication; none if there is none. */
export function pathsOf(origin: Origin | undefined): readonly string[] {
  return origin?.kind === "publication" ? origin.announced.scope.paths : [];
}

/** Undefined if nothing of that name can be seen. */
function isDirectoryAt(directories: Directories, path: string): boolean | undefined {
  try {
    return directories.stat(path)?.isDirectory();
  } catch {
    return undefined;
  }
}
