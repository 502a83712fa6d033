/** Files and directories handled by descriptors, safe beside a less privileged user who writes in the same directory. */
import fs from "node:fs";
import path from "node:path";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;

/** Write permission for the group and for others. */
const WRITE_OF_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Replaces a file in one step: the new text is durable when it takes the name. It is written beside it, into a file that
 * did not exist, never through a link.
 *
 * @throws an error with a code, as node:fs does
 */
export function replaceFile(file: string, text: string, mode: number): void {
  const unfinished = `${file}.new`;
  fs.rmSync(unfinished, { force: true });
  const descriptor = fs.openSync(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    fs.writeFileSync(descriptor, text);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(unfinished, file);
}

/**
 * Reads a small file from a directory where somebody else may put anything under its name: a link is not followed, a FIFO
 * is not waited for, and a device or a huge file is not read.
 *
 * @param mostBytes a larger file is something else
 * @returns undefined if there is no such file, or something else in its place
 * @throws an error with a code, as node:fs does, if it cannot be read
 */
export function readOwnFile(file: string, mostBytes: number): Buffer | undefined {
  let descriptor: number;
  try {
    descriptor = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // ELOOP: a link. ENXIO: a socket.
    if (["ENOENT", "ELOOP", "ENXIO"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
  try {
    const stats = fs.fstatSync(descriptor);
    if (!stats.isFile() || stats.size > mostBytes) return undefined;
    return readBeginning(descriptor, stats.size);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Reads the first bytes of an open file, or all that there are. */
export function readBeginning(descriptor: number, mostBytes: number): Buffer {
  const bytes = Buffer.alloc(mostBytes);
  let length = 0;
  for (let count = -1; count !== 0 && length < bytes.length; length += count) {
    count = fs.readSync(descriptor, bytes, length, bytes.length - length, null);
  }
  return bytes.subarray(0, length);
}

/**
 * Opens a file for reading, component by component, so that no link is followed. The first directory must belong to one
 * user; everything below it to that user or to this process's. Nobody else may be able to write to any of them.
 *
 * @param directory is believed: its path may lead over links
 * @param names of the directories on the way and of the file
 * @param owner the user to whom the first of them belongs
 * @returns a descriptor
 * @throws an error with a code, as node:fs does; EPERM if somebody else has put one of them there
 */
export function openOwnFile(directory: string, names: readonly string[], owner: number): number {
  let descriptor = fs.openSync(directory, O_RDONLY | O_DIRECTORY);
  const owners = [owner];
  for (const [index, name] of names.entries()) {
    const above = descriptor;
    const flags = index === names.length - 1 ? O_RDONLY | O_NONBLOCK : O_RDONLY | O_DIRECTORY;
    try {
      descriptor = fs.openSync(`/proc/self/fd/${above}/${name}`, flags | O_NOFOLLOW);
    } finally {
      fs.closeSync(above);
    }
    const { uid, mode } = fs.fstatSync(descriptor);
    if (!owners.includes(uid) || (mode & WRITE_OF_OTHERS) !== 0) {
      fs.closeSync(descriptor);
      throw Object.assign(new Error(`${name} belongs to somebody else`), { code: "EPERM" });
    }
    owners.push(process.geteuid?.() ?? owner);
  }
  return descriptor;
}

/**
 * Whether only root can exchange what stands in a directory: it and every directory above it belong to root, and nobody
 * else can write there. In a sticky directory others can write, but cannot exchange what belongs to root.
 *
 * @param directory without symbolic links, as fs.realpathSync() gives it
 */
export function isOnlyRoots(directory: string): boolean {
  for (let one = directory; ; one = path.dirname(one)) {
    const { uid, mode } = fs.lstatSync(one);
    if (uid !== 0 || ((mode & WRITE_OF_OTHERS) !== 0 && (mode & STICKY) === 0)) return false;
    if (one === path.dirname(one)) return true;
  }
}

/**
 * Gives a directory that only root can write to, and some files in it, to a user. A directory that somebody else can write
 * to is left as it is. So are links, files with a second name, and files with other names.
 *
 * @param names what the names of the files match
 */
export function giveDirectory(directory: string, names: RegExp, uid: number, gid: number): void {
  const descriptor = fs.openSync(fs.realpathSync(directory), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const stats = fs.fstatSync(descriptor);
    if (stats.uid !== 0 || (stats.mode & WRITE_OF_OTHERS) !== 0) return;
    const open = `/proc/self/fd/${descriptor}`;
    for (const name of fs.readdirSync(open)) if (names.test(name)) giveFile(`${open}/${name}`, uid, gid);
    // Last: from here on the user can put links there.
    fs.fchownSync(descriptor, uid, gid);
  } finally {
    fs.closeSync(descriptor);
  }
}

function giveFile(file: string, uid: number, gid: number): void {
  let descriptor: number;
  try {
    descriptor = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    // A link, or no file that can be opened: nothing that this program has written.
    return;
  }
  try {
    const stats = fs.fstatSync(descriptor);
    if (stats.isFile() && stats.nlink === 1) fs.fchownSync(descriptor, uid, gid);
  } finally {
    fs.closeSync(descriptor);
  }
}
