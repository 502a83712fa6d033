/** Marks of the base directories that daemons work on: locked files that no other user can open. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { canLockFiles, usersOfLock } from "../../sys/file-locks.ts";
import { isUnlocked, lockFile } from "../../sys/files.ts";

/** Daemons of every user, in every sandbox of one host, share this directory. A reboot empties it. */
const PLACE = "/dev/shm";

/** The names of all marks begin with it. */
const EVERY_MARK = "makuosan-base-";

/** So many random bytes that two marks never have one name. */
const NAME_BYTES = 8;

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = fs.constants;

/**
 * The mark of one daemon. A lock on the base directory itself does not do: every user who can read the directory can lock
 * it, and so keep a daemon from starting. A mark can be opened by its own user alone. Its name has a random end, so that
 * nobody can take the name first.
 */
export class BaseMark {
  private readonly prefix: string;
  private readonly file: string;
  private readonly descriptor: number;
  private readonly trusted: readonly number[];

  private constructor(prefix: string, file: string, descriptor: number, trusted: readonly number[]) {
    this.prefix = prefix;
    this.file = file;
    this.descriptor = descriptor;
    this.trusted = trusted;
  }

  /**
   * Makes a mark for an open base directory.
   *
   * @returns undefined if no mark can be made or locked here
   */
  static make(base: number): BaseMark | undefined {
    if (!canLockFiles()) return undefined;
    const { dev, ino, uid } = fs.fstatSync(base, { bigint: true });
    const prefix = `${EVERY_MARK}${dev.toString(16)}-${ino.toString(16)}-`;
    const name = randomBytes(NAME_BYTES).toString("hex");
    const [unfinished, file] = [path.join(PLACE, `makuosan-new-${name}`), path.join(PLACE, prefix + name)];
    try {
      const descriptor = fs.openSync(unfinished, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      // It is locked before another daemon can find it: one without a lock is taken for a rest.
      lockFile(descriptor);
      fs.renameSync(unfinished, file);
      return new BaseMark(prefix, file, descriptor, [process.geteuid?.() ?? -1, 0, Number(uid)]);
    } catch {
      return undefined;
    }
  }

  /**
   * Whether another daemon has a mark for the same directory. Marks of daemons that have ended are removed, those of other
   * directories too: nobody else would remove them.
   */
  hasRival(): boolean {
    const others = fs
      .readdirSync(PLACE)
      .filter((name) => name.startsWith(EVERY_MARK) && path.join(PLACE, name) !== this.file);
    const held = others.filter((name) => this.isHeld(path.join(PLACE, name)));
    return held.some((name) => name.startsWith(this.prefix));
  }

  /** Whether one of these users can run a daemon here: this one, root, and the owner of the base directory. */
  trusts(users: readonly number[]): boolean {
    return users.some((one) => this.trusted.includes(one));
  }

  /** Removes the mark. */
  release(): void {
    fs.rmSync(this.file, { force: true });
    fs.closeSync(this.descriptor);
  }

  private isHeld(file: string): boolean {
    const stats = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
    if (stats?.isFile() !== true || !this.trusts([Number(stats.uid)])) return false;
    let descriptor: number;
    try {
      descriptor = fs.openSync(file, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    } catch {
      // The mark of another user.
      return usersOfLock(stats.ino).length > 0;
    }
    // Another daemon that starts may look at the same rest now, and is no rival by that.
    const isRest = isUnlocked(descriptor);
    if (isRest) removeRest(file);
    fs.closeSync(descriptor);
    return !isRest;
  }
}

/** The rest of another user's daemon may have to stay, and its user may have put something else there meanwhile. */
function removeRest(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch {
    // It is no rival in any case.
  }
}
