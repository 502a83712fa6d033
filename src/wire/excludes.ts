/** Decides which entries are left out, by patterns. */
import { DecodeError } from "../base/bytes.ts";
import { compileGlob, type Glob, matches } from "../base/glob.ts";
import { UserError } from "../base/user-error.ts";
import { PATH_BYTES } from "./limits.ts";
import { directoryOf } from "./path-rules.ts";

/**
 * Decides which entries are left out, by shell patterns. A pattern is compared with the last names of an entry's full
 * path, with as many as the pattern has itself. So `*.log` matches in every directory, and `img/*.tmp` matches in every
 * directory `img`. A pattern that begins with a slash is compared with the whole path, relative to the base directory
 * or to the root of the file system. A pattern that ends with a slash matches directories only. No wildcard matches a
 * slash.
 */

/** Whether an entry is left out; a directory that is left out is not entered. */
export type Exclusion = (path: string, isDirectory: boolean) => boolean;

/** Most patterns of one list, and most bytes of them together: bounds on memory, chosen without measurement. */
export const EXCLUDES = 10_000;
export const EXCLUDE_BYTES = 256 * 1024;

interface Exclude {
  /** A compiled pattern for each name, the last name first. */
  readonly names: readonly Glob[];
  readonly isAnchored: boolean;
  readonly isDirectoryOnly: boolean;
}

/**
 * Combines a list of patterns into one decision.
 *
 * @param patterns byte strings
 * @param base the base directory, a byte string
 * @throws UserError for a pattern that can match nothing
 */
export function compileExcludes(patterns: readonly string[], base: string): Exclusion {
  if (patterns.length === 0) return () => false;
  if (patterns.length > EXCLUDES) {
    throw new UserError(`there are ${patterns.length} exclude patterns: give ${EXCLUDES} at the most`);
  }
  const bytes = patterns.reduce((sum, pattern) => sum + pattern.length, 0);
  if (bytes > EXCLUDE_BYTES) {
    throw new UserError(`the exclude patterns have ${bytes} bytes: give ${EXCLUDE_BYTES} at the most`);
  }
  const excludes = [...new Set(patterns)].map(compile);
  const baseNames = namesOf(base);
  return (path, isDirectory) => {
    if (path === "") return false;
    const names = namesOf(path);
    const depth = baseNames.length + names.length;
    return excludes.some((exclude) => {
      if (exclude.isDirectoryOnly && !isDirectory) return false;
      const count = exclude.names.length;
      if (exclude.isAnchored ? count !== names.length && count !== depth : count > depth) return false;
      return exclude.names.every((glob, index) => matches(glob, nameFromEnd(index, names, baseNames)));
    });
  };
}

/** Whether an entry or any directory above it is excluded. */
export function isExcludedWithin(isExcluded: Exclusion, path: string, isDirectory: boolean): boolean {
  if (isExcluded(path, isDirectory)) return true;
  for (let way = directoryOf(path); way !== ""; way = directoryOf(way))
    if (isExcluded(way, true)) return true;
  return false;
}

function nameFromEnd(index: number, names: readonly string[], baseNames: readonly string[]): string {
  const inBase = index - names.length;
  return (inBase < 0 ? names.at(-1 - index) : baseNames.at(-1 - inBase)) ?? "";
}

function compile(text: string): Exclude {
  // A backslash before a slash has no effect.
  const pattern = text.replace(/\\(.)/gs, (pair, character: string) => (character === "/" ? "/" : pair));
  const names = namesOf(pattern);
  if (names.length === 0 || pattern.length > PATH_BYTES) {
    throw new UserError(
      `the exclude pattern '${pattern.slice(0, 80)}' matches nothing: give one with a name in it`,
    );
  }
  try {
    return {
      names: names.map(compileGlob).reverse(),
      isAnchored: pattern.startsWith("/"),
      isDirectoryOnly: pattern.endsWith("/"),
    };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new UserError(
      `the exclude pattern '${pattern}' ends a name with a backslash: write \\\\ for the character`,
    );
  }
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}
