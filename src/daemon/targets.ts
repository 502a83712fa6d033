import type { Member } from "../engine/types.ts";
import { ExitStatus, UserError } from "../base/user-error.ts";

/** The members that a request names, and the names that fit none. */
export interface ChosenTargets {
  readonly members: readonly Member[];
  readonly unknown: readonly string[];
}

/**
 * Finds the members for `-t HOST`, by host name or address; no name at all means every member.
 *
 * @throws UserError for a name that two members have
 */
export function chooseTargets(members: readonly Member[], names: readonly string[]): ChosenTargets {
  if (names.length === 0) return { members, unknown: [] };
  const chosen = new Set<Member>();
  const unknown: string[] = [];
  for (const name of names) {
    const found = members.filter((member) => member.info.hostName === name || member.address.ip === name);
    if (found.length > 1) {
      const addresses = found.map((member) => member.address.ip).join(" and ");
      throw new UserError(
        `${found.length} members are called ${name} (${addresses}): name one by its address`,
        ExitStatus.partial,
      );
    }
    if (found[0] === undefined) unknown.push(name);
    else chosen.add(found[0]);
  }
  return { members: [...chosen], unknown };
}
