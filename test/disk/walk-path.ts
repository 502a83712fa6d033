import { DiskError } from "./disk-error.ts";
import type { Inode } from "./inode.ts";
import type { MemoryState } from "./memory-state.ts";

/** Linux follows as many links. */
const MOST_LINKS = 40;

/** The inode at the end of a path from the root of a disk, over links. */
export function walkPath(state: MemoryState, path: string): Inode {
  const call = "open";
  const names = path.split("/");
  let place = state.root;
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      place = place.parent ?? state.root;
      continue;
    }
    if (!place.isDirectory) throw new DiskError("ENOTDIR", call);
    const next = state.find(place, name, call);
    if (!next.isSymlink) {
      place = next;
      continue;
    }
    if (++links > MOST_LINKS) throw new DiskError("ELOOP", call);
    const { target } = next.birth;
    if (target.startsWith("/")) place = state.root;
    names.unshift(...target.split("/"));
  }
  return place;
}
