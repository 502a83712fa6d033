/** Rules for names and paths in a manifest. */
import { NAME_BYTES, PATH_BYTES } from "./limits.ts";

/**
 * Names on Linux are bytes of any value except NUL and slash, and need not be UTF-8. Inside the program a name is a
 * byte string: a string in which every character is one byte (U+0000 to U+00FF). So it can be a key of a Map, be cut
 * and be put into JSON without loss. Only the code at the file system and at the terminal turns it into bytes or text.
 *
 * Paths come from the network and are hostile: a path that these functions reject never reaches the file system.
 */

/** The directory below the base where transfers are staged. It is never sent and never a target. */
export const STAGING_NAME = ".makuosan";

/** Whether a byte string is one path component that can only mean an entry of its own directory. */
export function isSafeName(name: string): boolean {
  if (name.length === 0 || name.length > NAME_BYTES) return false;
  if (name === "." || name === "..") return false;
  return !name.includes("/") && !name.includes("\0");
}

/** Whether a byte string is a path below the base directory; the empty path is the base directory itself. */
export function isSafePath(path: string): boolean {
  if (path === "") return true;
  if (path.length > PATH_BYTES) return false;
  const names = path.split("/");
  return names[0] !== STAGING_NAME && names.every(isSafeName);
}

/** Whether a safe name in a safe directory makes a safe path. */
export function isSafeEntry(directory: string, name: string): boolean {
  return directory === "" ? name !== STAGING_NAME : directory.length + 1 + name.length <= PATH_BYTES;
}

/** The path of an entry in a directory. */
export function joinPath(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** The directory of a path; the empty path for an entry of the base directory. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "" : path.slice(0, slash);
}

/** The last component of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
