import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fraction, type Random, SeededRandom } from "../../src/base/random.ts";
import { recover } from "../../src/tree/apply/recovery.ts";
import { withClosedDirectories } from "../../src/tree/disk/closed-directories.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { LinuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { Owners } from "../../src/tree/entries/owners.ts";
import { describeTree } from "../fuzz-trees/describe.ts";
import {
  type FileSystem,
  mountFileSystem,
  mountImage,
  makeImage,
  run,
  type Skipped,
} from "../support/file-systems.ts";
import { sleep } from "../support/processes.ts";

/**
 * Loss of power on real file systems. The member's tree is in an image, and the image is a file of an XFS: a clone of the
 * file shares its blocks, takes no time, and is the disk of one moment. After some pushes, each clone is mounted, which
 * plays the file system's own log, and recovered by the code of a start. The tree must be wholly old or wholly new.
 *
 * A clone has every write that the file system has handed to the disk. Writes that a disk has in its cache and loses are
 * not tried here; `test/durability/durability.test.ts` does that with a disk in memory.
 */

/** Pushes while an image is mounted, and copies during each: more of them make the checks rarer, and their list longer. */
const PUSHES = 6;
const COPIES = 2;
const COPIES_OF_SWITCH = 3;
/** A file system writes by itself only every few seconds: one push in so many is met by it. */
const WRITES_IN = 3;
/** A switch may be over before anybody hears of it. */
const SHORTEST_SWITCH_MS = 4;

/** A copy of the disk, with what may be on it. */
interface Moment {
  readonly image: string;
  readonly allowed: readonly (readonly string[])[];
  readonly when: string;
}

/** What has been found so far: moments after a push was done, and those in the middle of one with the old or the new tree. */
export interface Outcome {
  readonly moments: number;
  readonly done: number;
  readonly old: number;
  readonly new: number;
  readonly bad: readonly string[];
}

const MemberDisk = withClosedDirectories(LinuxDisk);
const rules = { owners: new Owners(), keepOwner: true, ownGroups: new Set([0]) };

/** @returns why this host cannot try it */
export async function losePower(name: FileSystem, moments: number, seed: number): Promise<Outcome | Skipped> {
  const outer = mountFileSystem("xfs for images");
  if ("skip" in outer) return outer;
  const from = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-from-"));
  const mountPoint = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-image-"));
  try {
    const image = path.join(outer.root, "image");
    const problem = makeImage(name, image);
    if (problem !== undefined) return { skip: `${name}: ${problem}` };
    const random = new SeededRandom(seed);
    const outcome = { moments: 0, done: 0, old: 0, new: 0, bad: [] as string[] };
    let present: readonly string[] = [];
    while (outcome.moments < moments && outcome.bad.length === 0) {
      const wanted = Math.min(moments - outcome.moments, PUSHES * (COPIES + COPIES_OF_SWITCH));
      const batch = new Batch({ name, image, mountPoint, from, present, random, wanted });
      const taken = await batch.run();
      if ("skip" in taken) return taken;
      present = batch.present;
      for (const moment of taken) judge(name, moment, mountPoint, outcome);
    }
    return outcome;
  } finally {
    outer.close();
    for (const directory of [from, mountPoint]) fs.rmSync(directory, { recursive: true, force: true });
  }
}

/** Some pushes to one mounted image, with copies of it in between. */
class Batch {
  present: readonly string[];
  private readonly parts: {
    readonly name: FileSystem;
    readonly image: string;
    readonly mountPoint: string;
    readonly from: string;
    readonly present: readonly string[];
    readonly random: Random;
    readonly wanted: number;
  };
  private coming: readonly string[] | undefined;
  private word = "";
  private readonly moments: Moment[] = [];
  /** How long the last push took without the copies: the next one takes about as long. */
  private pushMs = 50;
  private beganMs = 0;
  private copyingMs = 0;
  private readyMs = 0;
  private switchMs = SHORTEST_SWITCH_MS;
  private readonly copies: Promise<void>[] = [];

  constructor(parts: Batch["parts"]) {
    this.parts = parts;
    this.present = parts.present;
  }

  async run(): Promise<readonly Moment[] | Skipped> {
    const { name, image, mountPoint, from, random, wanted } = this.parts;
    const problem = mountImage(name, image, mountPoint);
    if (problem !== undefined) return { skip: `${name}: ${problem}` };
    const base = path.join(mountPoint, "base");
    fs.mkdirSync(base, { recursive: true });
    run("sync", "-f", mountPoint);
    const script = path.join(import.meta.dirname, "real-push.ts");
    const child = spawn(process.execPath, [script, from, base, String(random.u32())], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    try {
      for (let push = 0; push < PUSHES && this.moments.length < wanted; push++) await this.push(child);
    } finally {
      child.stdin.end();
      await ended;
      const busy = run("umount", mountPoint);
      if (busy !== undefined) throw new Error(busy);
    }
    return this.moments;
  }

  private async push(child: ChildProcess): Promise<void> {
    const { random, mountPoint } = this.parts;
    const lines = readline.createInterface({ input: child.stdout! });
    const isOver = new Promise<void>((resolve, reject) => {
      lines.once("close", () => reject(new Error("the process that pushes has ended")));
      lines.on("line", (line) => {
        const said = JSON.parse(line) as { word: string; tree?: string[]; failure?: unknown };
        this.word = said.word;
        if (said.failure !== undefined) reject(new Error(JSON.stringify(said.failure)));
        if (said.word === "begin") {
          this.coming = said.tree;
          this.beganMs = performance.now();
          this.copyingMs = 0;
          this.planCopies(COPIES, this.pushMs);
        }
        if (said.word === "ready") {
          this.readyMs = performance.now();
          this.planCopies(COPIES_OF_SWITCH, this.switchMs);
        }
        if (said.word === "done") {
          this.present = this.coming ?? this.present;
          this.coming = undefined;
        }
        if (said.word !== "end") return;
        const nowMs = performance.now();
        this.pushMs = nowMs - this.beganMs - this.copyingMs;
        this.switchMs = Math.max(SHORTEST_SWITCH_MS, nowMs - this.readyMs);
        resolve();
      });
    });
    // The file system may write at any moment, not only when it is told to.
    if (fraction(random) < 1 / WRITES_IN)
      setTimeout(() => run("sync", "-f", mountPoint), fraction(random) * this.pushMs);
    child.stdin!.write("push\n");
    await isOver;
    await Promise.all(this.copies.splice(0));
    lines.removeAllListeners("close");
    lines.close();
  }

  private planCopies(count: number, withinMs: number): void {
    for (let copy = 0; copy < count; copy++) {
      const delayMs = fraction(this.parts.random) * withinMs;
      this.copies.push(sleep(delayMs).then(() => this.copy()));
    }
  }

  private copy(): void {
    if (this.moments.length >= this.parts.wanted) return;
    const image = `${this.parts.image}-${this.moments.length}`;
    const allowed = this.coming === undefined ? [this.present] : [this.present, this.coming];
    const nowMs = performance.now();
    fs.copyFileSync(this.parts.image, image, fs.constants.COPYFILE_FICLONE_FORCE);
    this.copyingMs += performance.now() - nowMs;
    const when = `${(nowMs - this.beganMs).toFixed(1)} ms after the begin, after "${this.word}"`;
    this.moments.push({ image, allowed, when });
  }
}

function judge(
  name: FileSystem,
  { image, allowed, when }: Moment,
  mountPoint: string,
  outcome: { moments: number; done: number; old: number; new: number; bad: string[] },
): void {
  const number = ++outcome.moments;
  const problem = mountImage(name, image, mountPoint);
  if (problem !== undefined) {
    outcome.bad.push(`moment ${number}, ${when}: ${problem}`);
    return;
  }
  try {
    const base = path.join(mountPoint, "base");
    const tree = Directories.at(new MemberDisk(), base);
    const failures = recover(tree, rules).filter(({ failure }) => failure !== undefined);
    tree.close();
    const found = describeTree(base);
    const index = allowed.findIndex((one) => isSame(one, found));
    if (failures.length > 0) outcome.bad.push(`moment ${number}, ${when}: ${JSON.stringify(failures)}`);
    else if (index === -1) outcome.bad.push(`moment ${number}, ${when}: ${difference(allowed, found)}`);
    else if (allowed.length === 1) outcome.done++;
    else if (index === 0) outcome.old++;
    else outcome.new++;
  } finally {
    run("umount", mountPoint);
    fs.rmSync(image);
  }
}

const isSame = (one: readonly string[], other: readonly string[]) => one.join("\n") === other.join("\n");

/** The first differences from each tree that it may be. */
function difference(allowed: readonly (readonly string[])[], found: readonly string[]): string {
  return allowed
    .map((tree, index) => {
      const missing = tree.filter((line) => !found.includes(line));
      const more = found.filter((line) => !tree.includes(line));
      return `from tree ${index}: ${missing.length} missing (${missing[0]}), ${more.length} more (${more[0]})`;
    })
    .join("; ");
}
