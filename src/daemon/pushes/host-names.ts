/** The names by which people see the members. */
import type { Member } from "../../engine/types.ts";

/**
 * The name of a member in everything that is printed: its host name, with the address if another member has the same.
 *
 * @param all the members that are shown together, this one among them
 */
export function displayName(member: Member, all: readonly Member[]): string {
  const { hostName } = member.info;
  const isUnique = all.filter((other) => other.info.hostName === hostName).length === 1;
  return isUnique ? hostName : `${hostName}(${member.address.ip})`;
}

/** Orders members by their host names. */
export function byHostName(a: Member, b: Member): number {
  return a.info.hostName < b.info.hostName ? -1 : 1;
}
