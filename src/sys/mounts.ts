/** The mounts that this process sees: its service manager can hide directories with some, or make them read-only. */
import fs from "node:fs";
import path from "node:path";

export interface Mount {
  /** The directory of the file system that is mounted. */
  readonly root: string;
  /** Where it is mounted. */
  readonly point: string;
  /** Its type, such as "tmpfs". */
  readonly fileSystem: string;
  /** Whether the file system itself can only be read, and not only this mount of it. */
  readonly isReadOnlyDisk: boolean;
}

/** The mounts in the order in which they were made; none if /proc is not there. */
export function readMounts(file = "/proc/self/mountinfo"): Mount[] {
  try {
    return fs.readFileSync(file, "utf8").split("\n").flatMap(mountOfLine);
  } catch {
    return [];
  }
}

/** See proc(5): the fields up to " - " are of the mount, those after it of the file system. */
function mountOfLine(line: string): Mount[] {
  const [ofMount = "", ofDisk = ""] = line.split(" - ");
  const [, , , root, point] = ofMount.split(" ").map(unescaped);
  const [fileSystem, , options] = ofDisk.split(" ");
  if (root === undefined || point === undefined || fileSystem === undefined) return [];
  return [{ root, point, fileSystem, isReadOnlyDisk: options?.split(",").includes("ro") === true }];
}

/** Spaces and the like are written as octal numbers. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** The mount in which a path is, or would be; undefined if that is not known. */
export function mountOfPath(file: string, mounts = readMounts()): Mount | undefined {
  const target = followed(file);
  const isAbove = ({ point }: Mount) => point === "/" || target === point || target.startsWith(`${point}/`);
  // Of two at the same point, the later one is on top.
  return mounts
    .filter(isAbove)
    .reduce<Mount | undefined>(
      (found, one) => (found === undefined || one.point.length >= found.point.length ? one : found),
      undefined,
    );
}

/** As many links are followed in all, as the kernel does: each of them may lead to others more than once. */
const MOST_LINKS = 40;

/** Where a path leads, also if nothing is there. */
export function followed(file: string): string {
  let linksLeft = MOST_LINKS;
  const follow = (one: string): string => {
    const above = path.dirname(one);
    if (above === one) return one;
    const full = path.join(follow(above), path.basename(one));
    let target: string;
    try {
      target = fs.readlinkSync(full);
    } catch {
      return full;
    }
    return linksLeft-- > 0 ? follow(path.resolve(path.dirname(full), target)) : full;
  };
  return follow(file);
}
