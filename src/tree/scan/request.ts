/** The request of a push, in its shortest form. */
import type { PushRules } from "../../base/push-rules.ts";
import type { PublishedPaths } from "./published-paths.ts";
import { UserError } from "../../base/user-error.ts";
import type { Origin } from "../../wire/origin.ts";
import { normalizePath } from "../../wire/request-paths.ts";

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
