import crypto from "node:crypto";
import { Directories } from "../../src/tree/disk/directories.ts";
import { below } from "../../src/tree/disk/below.ts";
import { LinuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { directoryOf, nameOf } from "../../src/wire/path-rules.ts";

/** A line for each entry below a directory: all that a push and rsync -aH bring, with the first name of each file. */
export function describeTree(top: string): string[] {
  const tree = Directories.at(new LinuxDisk(), top);
  const first = new Map<bigint, string>();
  const lines = [...below(tree, "")]
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .map(({ path, stats }) => {
      const { mode, uid, gid, mtimeNs, size, inode, links } = stats;
      const name = first.get(inode) ?? path;
      // Names of one symbolic link are sent as links of their own.
      if (stats.isFile() && links > 1) first.set(inode, name);
      const [directory, own] = [directoryOf(path), nameOf(path)];
      const target = stats.isSymbolicLink() ? tree.readLink(directory, own) : "";
      const contents = stats.isFile() ? `${size} ${digestOf(tree, directory, own, size)}` : "";
      return JSON.stringify([path, mode.toString(8), uid, gid, String(mtimeNs), name, target, contents]);
    });
  tree.close();
  return lines;
}

function digestOf(tree: Directories, directory: string, name: string, size: number): string {
  const bytes = Buffer.alloc(size);
  const file = tree.openToRead(directory, name);
  for (let read = 0; read < size;) {
    const count = file.read(bytes.subarray(read), read);
    if (count === 0) break;
    read += count;
  }
  file.close();
  return crypto.createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
