/** The last step of a commit that keeps what it has replaced or deleted; or gives that up where there is no room for it. */
import type { Directories } from "../disk/directories.ts";
import { isNoRoom } from "../disk/making-room.ts";
import type { AttributeRules } from "../entries/attributes.ts";
import { StagingArea } from "./staging-area.ts";

/**
 * Keeps the area of a commit, step by step. If there is no room for its record, the area goes: the commit itself has succeeded.
 *
 * @param area is closed afterwards
 * @param atMs when the commit was, in milliseconds since 1970
 * @returns "too full" if there was no room
 * @throws an error with the path of what is still there
 */
export function* keepArea(
  base: Directories,
  rules: AttributeRules,
  area: StagingArea,
  atMs: number,
): Generator<undefined, "too full" | undefined> {
  const { name } = area;
  try {
    yield* area.keep(atMs);
    return undefined;
  } catch (error) {
    if (!isNoRoom(error)) throw error;
  }
  yield* StagingArea.open(base, name, rules)?.removal() ?? [];
  return "too full";
}
