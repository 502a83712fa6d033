/** The request of a push, in its shortest form. */
import type { PushRules } from "../../base/push-rules.ts";
import type { PublishedPaths } from "./published-paths.ts";
import { UserError } from "../../base/user-error.ts";
import { PATH_BYTES } from "../../wire/limits.ts";
import type { Origin } from "../../wire/origin.ts";
import { isSafePath, STAGING_NAME } from "../../wire/path-rules.ts";

/** The paths that one msync asks to send. */
export interface ScanRequest {
  /** Paths relative to the base directory; the empty path is the base directory itself. */
  readonly paths: readonly string[];
  readonly recursive: boolean;
}

/** The entries that are left out, and the changes to the others before they are sent. */
export interface ScanRules extends PushRules {
  /** Patterns of entries; see excludes.ts. */
  readonly excludes: readonly string[];
  /** Only entries of this user are sent. */
  readonly ownedBy: number | undefined;
  /** Every entry gets this group before it is sent. */
  readonly group: number | undefined;
  /** Only entries of this user get the group; undefined for entries of any user. */
  readonly groupOwner?: number | undefined;
  /** Whether it is a publication, or brings earlier ones; undefined for a dry run. */
  readonly origin?: Origin | undefined;
  /** Whether the paths that it publishes are recorded. */
  readonly isRecorded?: boolean;
  /** The lists of the entries that may be handed on; undefined if all may. */
  readonly published?: readonly PublishedPaths[] | undefined;
}

export const NO_RULES: ScanRules = {
  excludes: [],
  ownedBy: undefined,
  group: undefined,
  deletes: "nothing",
  syncs: false,
  isForced: false,
  comparesContents: false,
  isCheck: false,
  sendsAttributes: false,
};

/**
 * Normalizes a path of the command line: without leading slash (all paths are relative to the base directory), without
 * "." and without empty components.
 *
 * @throws UserError for a path that leads out of the base directory
 */
export function normalizePath(path: string): string {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  const normalized = names.join("/");
  if (names.includes("..")) {
    throw new UserError(`'${path}' leads out of the base directory: give a path below it, without '..'`);
  }
  if (names[0] === STAGING_NAME) {
    throw new UserError(`'${path}' is where transfers are staged, which is never sent`);
  }
  if (!isSafePath(normalized)) {
    throw new UserError(
      `'${path.slice(0, 80)}...' is too long: a name may have 255 bytes, a path ${PATH_BYTES}`,
    );
  }
  return normalized;
}

/**
 * Makes paths that begin with the base directory relative to it: people type them as they stand on the disk. Nothing
 * changes if the base directory has an entry with the name that the path begins with, such as `srv` in `/srv/tree`.
 *
 * @param hasEntry whether the base directory has an entry of this name
 */
export function belowBase(
  request: ScanRequest,
  base: string,
  hasEntry: (name: string) => boolean,
): ScanRequest {
  const isInside = (path: string) => path === base || path.startsWith(`${base}/`);
  const [first = ""] = base.slice(1).split("/");
  if (first === "" || !request.paths.some(isInside) || hasEntry(first)) return request;
  const paths = request.paths.map((path) => (isInside(path) ? path.slice(base.length) : path));
  return { ...request, paths };
}

/**
 * The request in its shortest form: no path twice, and no path that another one covers already.
 *
 * @throws UserError
 */
export function simplifyRequest(request: ScanRequest): ScanRequest {
  const paths = [...new Set(request.paths.map(normalizePath))];
  if (paths.includes("") && !request.recursive) {
    throw new UserError("the base directory can only be sent with everything in it: add -r");
  }
  if (!request.recursive) return { recursive: false, paths };
  const all = new Set(paths);
  return { recursive: true, paths: paths.filter((path) => !ancestorsOf(path).some((one) => all.has(one))) };
}

/** The paths that a simplified request lacks because others cover them. */
export function coveredPaths(request: ScanRequest, simple: ScanRequest): string[] {
  const left = new Set(simple.paths);
  return [...new Set(request.paths.map(normalizePath))].filter((path) => path !== "" && !left.has(path));
}

function ancestorsOf(path: string): string[] {
  const ancestors = path === "" ? [] : [""];
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    ancestors.push(path.slice(0, slash));
  }
  return ancestors;
}
