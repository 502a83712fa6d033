/** The records of a manifest that come before all entries. */
import type { ManifestWriter } from "../../wire/manifest.ts";
import type { Origin } from "../../wire/origin.ts";
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
