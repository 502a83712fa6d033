/** The records of a manifest that come before all entries, and the origin that they tell. */
import { type Exclusion, isExcludedWithin } from "../../wire/excludes.ts";
import type { ManifestWriter } from "../../wire/manifest.ts";
import type { Origin } from "../../wire/origin.ts";
import type { Directories } from "../disk/directories.ts";
import type { ScanRules } from "./request.ts";

/** The records that members need before the entries; none for a plain push. */
export function prefaceOf(
  rules: ScanRules,
  base: string,
  tellsDigests: boolean,
  origin: Origin | undefined,
): ((writer: ManifestWriter) => boolean)[] {
  const deletes = rules.deletes !== "nothing" || rules.syncs;
  const first = origin === undefined ? [] : [(writer: ManifestWriter) => writer.addOrigin(origin)];
  if (!deletes && !rules.isCheck) return first;
  const terms = { isForced: rules.isForced, isCheck: rules.isCheck, deletes, tellsDigests, base };
  return [
    ...first,
    (writer) => writer.addTerms(terms),
    ...rules.excludes.map((pattern) => (writer: ManifestWriter) => writer.addExclude(pattern)),
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

/** Undefined if nothing of that name can be seen. */
function isDirectoryAt(directories: Directories, path: string): boolean | undefined {
  try {
    return directories.stat(path)?.isDirectory();
  } catch {
    return undefined;
  }
}
