import { fraction, type Random } from "../../src/base/random.ts";
import { recover, type RecoveredTransfer } from "../../src/tree/apply/recovery.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import type { Finding } from "../../src/wire/findings.ts";
import { type Chance, RandomChance } from "../disk/chance.ts";
import { MemoryDisk } from "../disk/memory-disk.ts";
import type { MemoryDiskOptions } from "../disk/memory-machine.ts";
import { withArea } from "./areas.ts";
import { type Announced, deviationOf, type Expectation, exactly, mixtureOf } from "./announced.ts";
import { check } from "./check.ts";
import type { Versions } from "./contents.ts";
import type { Death } from "./disk-trouble.ts";
import { LocalEdits } from "./local-edits.ts";
import { hasStaging, type Picture, pictureOf } from "./picture.ts";
import { RULES, type StageSettings } from "./stage-driver.ts";

const AMPLE_BYTES = 2 ** 50;

/** What all machines of a fleet share. */
export interface Fleetwide {
  readonly random: Random;
  readonly versions: Versions;
  /** What has been put on the wire of each transfer. */
  readonly announced: Map<string, Announced>;
}

/** A commit that is under way. */
export interface Committing {
  readonly name: string;
  readonly before: Picture;
  readonly after: Expectation;
  /** A disk that fails may leave any mixture; it is told. */
  hasFailed: boolean;
  /** Whether something that has appeared since the plan may be in the way, which is told then. */
  readonly mayFail: boolean;
}

/** What came of a transfer at a member: `broken` where its commit failed on the way. */
export type Fate = "new" | "refused" | "failed at its commit" | "broken";

/** Nothing of what is not known to be durable survives. */
const NOTHING_SURVIVES: Chance = { pick: () => 0, survives: () => false };

/** The names of files may survive where their contents do not. */
function namesSurvive(random: Random): Chance {
  return { pick: (bound) => bound - 1, survives: () => fraction(random) < 0.5 };
}

/** Everything of a host that outlives its daemon: its disk, and the tree that has to be on it. */
export class Machine {
  readonly name: string;
  readonly ip: string;
  readonly settings: StageSettings;
  readonly fleetwide: Fleetwide;
  disk: MemoryDisk;
  /** The tree as it was when it was looked at last; nothing but commits and local edits changes it. */
  expected: Picture;
  committing: Committing | undefined;
  /** A fault of the disk has been told after which nothing is certain before the next start. */
  isUncertain = false;
  private capacityBytes = AMPLE_BYTES;
  readonly fates = new Map<string, Fate>();
  /** All that a transfer has to tell its sender. */
  readonly findings = new Map<string, readonly Finding[]>();
  /** All transfers that it has switched to, in their order. */
  readonly committed = new Set<string>();
  /** Told of each path that a local edit has changed, with the text that it has then. */
  onEdit: ((path: string, before: string, after: string) => void) | undefined;

  constructor(
    name: string,
    ip: string,
    disk: MemoryDiskOptions,
    settings: StageSettings,
    fleetwide: Fleetwide,
  ) {
    this.name = name;
    this.ip = ip;
    this.settings = settings;
    this.fleetwide = fleetwide;
    this.disk = new MemoryDisk(disk);
    this.expected = pictureOf(this.disk);
  }

  /** Somebody on this host changes its tree, durably. */
  edit(work: (edits: LocalEdits) => void): void {
    const before = this.lookAgain("before a local edit");
    const { random, versions } = this.fleetwide;
    this.disk.setCapacity(AMPLE_BYTES);
    work(new LocalEdits(this.disk, random, versions));
    this.disk.setCapacity(this.capacityBytes);
    this.disk.settle();
    this.expected = pictureOf(this.disk);
    for (const path of new Set([...before.keys(), ...this.expected.keys()])) {
      const [was, is] = [before.get(path) ?? "", this.expected.get(path) ?? ""];
      if (was !== is) this.onEdit?.(path, was, is);
    }
  }

  setCapacity(capacityBytes = AMPLE_BYTES): void {
    this.capacityBytes = capacityBytes;
    this.disk.setCapacity(capacityBytes);
  }

  /** Looks at the tree, which nobody may have changed since the last look. */
  lookAgain(when: string): Picture {
    const actual = pictureOf(this.disk);
    const deviation = deviationOf(actual, exactly(this.expected));
    check(deviation === undefined, `${this.name} ${when}: ${deviation} by nobody's doing`);
    return actual;
  }

  /** The disk as the next process finds it. */
  comeBack(death: Death): void {
    if (death === "power loss") this.disk = this.disk.crash(this.fleetwide.random);
    else this.disk.before = undefined;
  }

  /** After a start: the tree is wholly old or wholly new, and nothing else is left. */
  judgeRecovery(finished: readonly RecoveredTransfer[]): void {
    const actual = pictureOf(this.disk);
    const { committing } = this;
    this.committing = undefined;
    const isTold = committing?.mayFail === true && finished.some(({ failure }) => failure !== undefined);
    if (this.isUncertain || committing?.hasFailed === true || isTold) {
      if (committing !== undefined) {
        const deviation = deviationOf(actual, mixtureOf(committing.before, committing.after));
        check(this.isUncertain || deviation === undefined, `${this.name} after a start: ${deviation}`);
        this.fates.set(committing.name, "broken");
      }
      this.isUncertain = hasStaging(this.disk);
      this.expected = actual;
      return;
    }
    check(!hasStaging(this.disk), `${this.name} has something staged after a start`);
    for (const { name, failure, isLeft } of finished) {
      check(!isLeft && failure === undefined, `${this.name} cannot finish ${name}: ${failure?.code}`);
      check(name === committing?.name, `${this.name} finishes ${name}, which it had not begun to commit`);
    }
    const old = deviationOf(actual, exactly(committing?.before ?? this.expected));
    const fresh = committing === undefined ? "" : deviationOf(actual, committing.after);
    const words = `${old}${fresh ? `; ${fresh}` : ""}`;
    check(old === undefined || fresh === undefined, `${this.name} comes back with a mixture: ${words}`);
    if (committing !== undefined && fresh === undefined && (old !== undefined || finished.length > 0))
      this.noteCommitted(committing.name);
    this.expected = actual;
  }

  noteCommitted(name: string): void {
    check(!this.committed.has(name), `${name} is committed twice at ${this.name}`);
    this.committed.add(name);
    this.fates.set(name, "new");
  }

  /**
   * What the machine would find if it lost its power now: after the recovery its tree has to be one of those that are given.
   *
   * @param mayFail whether local edits may be in the way of a commit, which is told then
   * @param change what is done to the disk between the loss of power and the start
   */
  checkPowerLoss(
    when: string,
    allowed: readonly Expectation[],
    options: { isWorst?: boolean; mayFail?: boolean; change?: (disk: MemoryDisk) => void } = {},
  ): void {
    if (this.isUncertain) return;
    const { random } = this.fleetwide;
    const some = fraction(random) < 0.5 ? new RandomChance(random) : namesSurvive(random);
    const chance = options.isWorst === true ? NOTHING_SURVIVES : some;
    // That the disk itself goes on is needed nowhere but in tests, and there for single states alone.
    const disk = this.disk["after"](chance);
    options.change?.(disk);
    const { committing } = this;
    const hasSwitched =
      committing !== undefined &&
      withArea(disk, committing.name, (area) => disk.stat(area, "done")) !== undefined;
    const base = Directories.at(disk, "/");
    const left = recover(base, RULES).filter(({ isLeft, failure }) => isLeft || failure !== undefined);
    base.close();
    const where = `${this.name}, without power ${when}`;
    // Behind the switch, the process that has ended was the one that knew what had failed.
    if (options.mayFail === true && (left.length > 0 || hasSwitched)) return;
    check(left.length === 0, `${where}: ${left[0]?.name} cannot be finished: ${left[0]?.failure?.code}`);
    check(!hasStaging(disk), `${where}: something stays staged`);
    const actual = pictureOf(disk);
    const deviations = allowed.map((one) => deviationOf(actual, one));
    check(deviations.includes(undefined), `${where}: ${deviations.join("; ")}`);
  }
}
