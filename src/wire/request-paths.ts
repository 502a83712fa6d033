/** Paths as people type them, and as the program has them. */
import { UserError } from "../base/user-error.ts";
import { PATH_BYTES } from "./limits.ts";
import { isSafePath, STAGING_NAME } from "./path-rules.ts";

/**
 * Normalizes a path of the command line: without leading slash (all paths are relative to the base directory), without
 * "." and without empty components.
 *
 * @throws UserError for a path that leads out of the base directory, into the staging area, or is too long
 */
export function normalizePath(path: string): string {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  const normalized = names.join("/");
  if (names.includes("..")) {
    const meant = resolved(names);
    if (!path.startsWith("/") && meant !== undefined)
      throw new UserError(`'${path}' has '..' in it, which is not followed: write '${meant}'`);
    throw new UserError(`'${path}' leads out of the base directory: give a path below it, without '..'`);
  }
  if (names[0] === STAGING_NAME) {
    throw new UserError(`'${path}' is where transfers are staged, which is never sent: leave it out`);
  }
  if (!isSafePath(normalized)) {
    throw new UserError(
      `'${path.slice(0, 80)}...' is too long: a name may have 255 bytes, a path ${PATH_BYTES}`,
    );
  }
  return normalized;
}

/** The path without "..", if none of its directories is a link; undefined if it leads out. */
function resolved(names: readonly string[]): string | undefined {
  const left: string[] = [];
  for (const name of names) {
    if (name !== "..") left.push(name);
    else if (left.pop() === undefined) return undefined;
  }
  return left.join("/") || ".";
}

/**
 * Makes paths that begin with the base directory relative to it: people type them as they stand on the disk. Nothing
 * changes if the base directory has an entry with the name that the path begins with, such as `srv` in `/srv/tree`.
 *
 * @param base the base directory, without links
 * @param hasEntry whether the base directory has an entry of this name
 */
export function pathsBelowBase(
  paths: readonly string[],
  base: string,
  hasEntry: (name: string) => boolean,
): readonly string[] {
  const isInside = (path: string) => path === base || path.startsWith(`${base}/`);
  const [first = ""] = base.slice(1).split("/");
  const plain = paths.map(plainAbsolute);
  if (first === "" || !plain.some(isInside) || hasEntry(first)) return paths;
  return plain.map((path) => (isInside(path) ? path.slice(base.length) : path));
}

/** An absolute path without slashes and dots that mean nothing; every other path as it is. */
function plainAbsolute(path: string): string {
  if (!path.startsWith("/")) return path;
  return `/${path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .join("/")}`;
}
