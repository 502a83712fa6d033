/** Compares manifest blocks with the tree, and decides about every entry. */
import type { Bitmap } from "../../base/bitmap.ts";
import { reason } from "../../base/reason.ts";
import type { FileStats } from "../../sys/stat.ts";
import {
  Difference,
  differingEntries,
  ELSEWHERE,
  isOfAttributesAlone,
  SEPARATE,
} from "../../wire/differences.ts";
import { type Entry, EntryType, isDevice } from "../../wire/entry.ts";
import { decodeManifest, type ManifestBlock, type ManifestDirectory } from "../../wire/manifest.ts";
import { directoryOf, joinPath } from "../../wire/path-rules.ts";
import type { EntryBelow } from "../disk/below.ts";
import type { TreeView } from "../disk/tree-view.ts";
import type { AttributeRules } from "../entries/attributes.ts";
import { isSameFile, isSameState } from "../entries/same-file.ts";
import { PathSet } from "../entries/path-set.ts";
import { StageError } from "../reasons/stage-error.ts";
import { differenceOf, isPlainlySame } from "./compare.ts";
import type { Decisions, Outcome, Place } from "./decision.ts";
import { LookAlikes } from "./look-alikes.ts";
import { Obstacles } from "./obstacles.ts";
import { OwnReadings } from "./own-readings.ts";
import type { Precedence } from "./precedence.ts";
import type { Protection } from "./protection.ts";
import { refusalOf, refused } from "./refusals.ts";
import { Superfluous } from "./superfluous.ts";
import { isOfToldContents, recognize } from "./told-contents.ts";

/** The wanted entries of a manifest block. */
export interface StagePlan {
  readonly wants: Bitmap;
  /** How each entry differs, if the sender has to know. */
  readonly differences: Uint8Array | undefined;
}

/** The parts of a planner. */
export interface PlannerParts {
  readonly tree: TreeView;
  readonly rules: AttributeRules;
  /** Paths that stay as they are on this member. */
  readonly protection: Protection | undefined;
  readonly precedence: Precedence;
  /** Called with each manifest block, before it is compared. */
  readonly onBlock?: ((block: ManifestBlock) => void) | undefined;
}

/** The state of a manifest block while it is compared. */
interface BlockPlan {
  readonly firstEntry: number;
  readonly differences: Uint8Array;
  hasCopies: boolean;
  /** Files that become files of their own, or whose contents this member may have by other names. */
  hasMarks: boolean;
}

/**
 * Finds wanted entries, superfluous entries, and obstacles to a commit. It looks at the tree and changes nothing: an
 * executor carries the decisions out, or only reports them.
 */
export class Planner {
  private readonly tree: TreeView;
  private readonly rules: AttributeRules;
  private readonly protection: Protection | undefined;
  private readonly precedence: Precedence;
  private readonly onBlock: PlannerParts["onBlock"];
  private readonly obstacles: Obstacles;
  /** Files that are going to be new and that hard links name. */
  private readonly linkTargets = new Set<string>();
  /** Directories that this transfer creates. */
  private readonly brought = new PathSet();
  /** Files with several names that this member's own patterns exclude: as few as the sender remembers of them. */
  private readonly excludedFiles = new Map<string, Entry>();
  /** The sender's time of each existing directory that is only on the way to an entry. */
  private readonly ways = new Map<string, bigint>();
  private readonly lookAlikes: LookAlikes;
  private readonly digests = new OwnReadings();
  private readonly copies = new OwnReadings();
  private nextEntry = 0;
  readonly superfluous: Superfluous;

  constructor(parts: PlannerParts) {
    this.tree = parts.tree;
    this.rules = parts.rules;
    this.protection = parts.protection;
    this.precedence = parts.precedence;
    this.onBlock = parts.onBlock;
    this.obstacles = new Obstacles(parts.tree, parts.rules);
    this.lookAlikes = new LookAlikes(parts.tree, (...entry) => this.superfluous.stays(...entry));
    this.superfluous = new Superfluous(parts.tree, parts.protection, this.lookAlikes);
  }

  /**
   * Compares a manifest block with the tree. Blocks come in their order.
   *
   * @returns its decisions one by one, and at the end the wanted entries
   * @throws StageError, DecodeError
   */
  *plan(plaintext: Uint8Array): Decisions<StagePlan> {
    const block = decodeManifest(plaintext);
    if (block.firstEntry !== this.nextEntry) throw StageError.of("manifest-gap");
    if (isOfToldContents(block)) return yield* recognize(block, this.lookAlikes.tags);
    this.onBlock?.(block);
    this.superfluous.accept(block.terms, block.excludes);
    this.lookAlikes.accept(block);
    const entryCount = block.directories.reduce((sum, directory) => sum + directory.entries.length, 0);
    const differences = new Uint8Array(entryCount);
    const plan: BlockPlan = {
      differences,
      firstEntry: block.firstEntry,
      hasCopies: false,
      hasMarks: false,
    };
    for (const directory of block.directories) yield* this.planDirectory(directory, plan);
    const isTold = this.superfluous.isCheck || plan.hasCopies || plan.hasMarks;
    return { wants: differingEntries(differences), differences: isTold ? differences : undefined };
  }

  /**
   * This loop is written for the usual case: files that are already right, a million of them in a large tree. Each
   * costs one look at its stats and not one object; everything else comes after `isSame`. Other transfers are served at
   * every `yield`, so facts about the directory are looked up again after it.
   */
  private *planDirectory(directory: ManifestDirectory, plan: BlockPlan): Decisions<void> {
    const { header, entries } = directory;
    if (this.protection?.coversDirectory(header.path) === true) {
      for (const entry of entries) this.noteExcluded(joinPath(header.path, entry.name), entry);
      this.nextEntry += entries.length;
      return;
    }
    // The directory may have been moved since it was opened for its own entry.
    this.tree.forget(header.path);
    const isThere = this.tree.hasDirectory(header.path);
    this.lookAlikes.enter(directory, isThere);
    let isTouched = false;
    let isPlaceKnown = isThere;
    for (const entry of entries) {
      const number = this.nextEntry++;
      // A passage may stand between the entries of another directory.
      if (entry.type !== EntryType.passage) this.superfluous.note(header.path, entry.name);
      if (this.superfluous.isLooking) this.precedence.noteKnown(header.path, entry.name);
      if (entry.type === EntryType.kept) continue;
      if (entry.type === EntryType.gone) {
        this.superfluous.checkExpected();
        this.precedence.noteGone(joinPath(header.path, entry.name));
        if (isThere && !this.hasOtherName(directory, entry.name))
          isTouched = (yield* this.planRemovals("of", joinPath(header.path, entry.name))) || isTouched;
        continue;
      }
      if (!isPlaceKnown) this.checkBrought(header.path);
      isPlaceKnown = true;
      const stats = isThere ? this.tree.statIn(header.path, entry.name) : undefined;
      if (this.isSame(header.path, entry, stats)) continue;
      const difference = yield* this.planEntry(
        { number, path: joinPath(header.path, entry.name), hasRealParent: isThere },
        entry,
        stats,
      );
      plan.differences[number - plan.firstEntry] = difference;
      isTouched ||= difference !== 0;
      plan.hasCopies ||= entry.type === EntryType.file && difference !== 0 && isOfAttributesAlone(difference);
      plan.hasMarks ||= (difference & (SEPARATE | ELSEWHERE)) !== 0;
    }
    if (directory.isComplete) {
      this.superfluous.checkExpected();
      this.precedence.noteComplete(header.path);
      if (isThere) isTouched = (yield* this.planRemovals("in", header.path)) || isTouched;
    }
    if (isThere && isTouched) yield* this.touch(directory);
  }

  /** A change in a directory changes the directory, too. If it is only on the way, it keeps all except for its time. */
  private *touch({ header, entries, isComplete }: ManifestDirectory): Decisions<void> {
    const { path, metadata } = header;
    const isWay =
      this.ways.has(path) || (!isComplete && entries.every(({ type }) => type === EntryType.gone));
    yield* refused(() => this.obstacles.checkWritable(path));
    this.precedence.noteUsed(path);
    // A sender may send the metadata of its base directory; each host keeps those of its own.
    if (metadata === undefined || isWay || path === "") {
      yield* this.restore(path, metadata?.mtimeNs ?? this.ways.get(path));
      return;
    }
    yield* refused(() => this.obstacles.checkAdjustable(path));
    yield { kind: "adjust", path, set: { metadata, attributes: undefined }, isEntry: false };
  }

  /** The base directory is never sent, so nobody compares its time. */
  private *restore(path: string, mtimeNs: bigint | undefined): Decisions<void> {
    if (path === "") return;
    const stats = this.tree.statDirectory(path);
    const timeNs = mtimeNs ?? stats.mtimeNs;
    // No journal can hold a time beyond the year 2262, which only a directory of this member itself can have.
    if (!this.obstacles.mayRestore(stats) || BigInt.asIntN(64, timeNs) !== timeNs) return;
    yield { kind: "restore", path, mode: stats.mode & 0o7777, mtimeNs: timeNs };
  }

  /**
   * Whether the sender has an entry by another name that this member takes for the same: its file system ignores the case of
   * names, or their normal form.
   */
  private hasOtherName({ header, entries }: ManifestDirectory, name: string): boolean {
    const stats = this.tree.statIn(header.path, name);
    if (stats === undefined) return false;
    const folded = foldedName(name);
    return entries.some(
      (other) =>
        other.type !== EntryType.gone &&
        foldedName(other.name) === folded &&
        isSameFile(stats, this.tree.statIn(header.path, other.name)),
    );
  }

  /** Most entries are files that are already right: they need none of the steps of other entries. */
  private isSame(directory: string, entry: Entry, stats: FileStats | undefined): boolean {
    if (stats === undefined || this.protection !== undefined) return false;
    if (!isPlainlySame(stats, entry, this.rules, this.tree)) return false;
    this.precedence.noteSame(directory, entry.name);
    return true;
  }

  /** @returns how the entry differs; 0 also if it stays as it is or is left out */
  private *planEntry(place: Place, entry: Entry, stats: FileStats | undefined): Decisions<number> {
    const { path } = place;
    if (this.isProtected(path, entry, stats)) {
      this.noteExcluded(path, entry);
      return 0;
    }
    const excluded = entry.type === EntryType.hardLink ? this.excludedFiles.get(entry.target) : undefined;
    if (excluded !== undefined) {
      const difference = yield* this.planEntry(place, { ...excluded, name: entry.name }, stats);
      return difference === 0 || isOfAttributesAlone(difference) ? difference : difference | SEPARATE;
    }
    let difference: number = Difference.missing;
    if (stats !== undefined) {
      if (entry.type === EntryType.directory && stats.isDirectory()) this.lookAlikes.expect(path);
      if (entry.type === EntryType.passage) this.obstacles.checkPassage(path, stats);
      difference = yield* this.compare(stats, path, entry);
      // A passage stays as it is, whatever another transfer makes of its attributes.
      if (entry.type === EntryType.passage) {
        this.precedence.noteUsed(path);
        this.ways.set(path, entry.metadata.mtimeNs);
      } else if (difference === 0) this.precedence.noteSame(directoryOf(path), entry.name);
      else yield* refused(() => this.obstacles.checkReplaceable(path, entry, stats));
    }
    if (difference === 0) return 0;
    if (entry.extras?.hasOtherNames === true) this.linkTargets.add(path);
    if (isDevice(entry.type) && !this.rules.keepOwner) return yield* leaveOut(path);
    if (stats?.isDirectory() === true && (difference & Difference.type) !== 0)
      yield* this.planReplaced(path, stats);
    const brought = yield* this.bring(place, entry, difference, stats);
    // A file that is replaced may have been moved to a path that comes later.
    if (stats !== undefined) this.lookAlikes.note(path, stats);
    return brought;
  }

  /** @returns how the entry differs, after the executor has answered */
  private *bring(place: Place, entry: Entry, found: number, stats: FileStats | undefined): Decisions<number> {
    let difference = found;
    const { path, hasRealParent } = place;
    if (isDirectory(entry)) {
      if (hasRealParent && this.tree.hasDirectory(path)) {
        const set = { metadata: entry.metadata, attributes: entry.extras?.attributes };
        yield* refused(() => this.obstacles.checkAdjustable(path));
        this.precedence.noteUsed(path);
        yield { kind: "adjust", path, set, isEntry: true };
        return difference;
      }
      this.brought.add(path);
    }
    if (entry.type === EntryType.file && isOfAttributesAlone(difference)) {
      const mayCopy = stats !== undefined && this.copies.mayRead(stats);
      const outcome: Outcome = mayCopy ? yield { kind: "copy", place, entry } : "needs contents";
      if (outcome === "done") return difference;
      // The member's file cannot be read, has changed, or was copied before: then the sender has to send it.
      difference |= Difference.contents;
    }
    if (entry.type === EntryType.hardLink) {
      yield { kind: "link", place, entry };
      return difference;
    }
    const isKnown = (name: string) => this.superfluous.isKnown(directoryOf(path), name);
    const lookAlikes = this.lookAlikes.of(entry, isKnown);
    const hasParts = stats !== undefined && this.lookAlikes.mayHaveParts(entry, stats);
    const outcome: Outcome = yield { kind: "place", place, entry, lookAlikes };
    if (outcome === "left out") return yield* leaveOut(path);
    return hasParts || lookAlikes.length > 0 ? difference | ELSEWHERE : difference;
  }

  private *compare(stats: FileStats, path: string, entry: Entry): Decisions<number> {
    if (entry.type === EntryType.passage) return 0;
    const difference = yield* differenceOf(
      this.tree,
      directoryOf(path),
      stats,
      entry,
      this.rules,
      this.digests,
    );
    // While the file was read for its digest, another transfer may have replaced it.
    if (entry.extras?.digest !== undefined && !isSameState(stats, this.tree.stat(path)))
      return difference | Difference.contents;
    if (entry.type !== EntryType.hardLink || (difference & Difference.type) !== 0) return difference;
    const isLinked = !this.linkTargets.has(entry.target) && isSameFile(stats, this.tree.stat(entry.target));
    return isLinked ? 0 : Difference.contents;
  }

  /**
   * Plans deletions: a path, or everything superfluous in a directory.
   *
   * @returns whether anything is deleted
   */
  private *planRemovals(which: "of" | "in", place: string): Decisions<boolean> {
    let refusal: StageError | undefined;
    const obstacle = (entry: EntryBelow) => {
      refusal ??= refusalOf(() => this.obstacles.checkDeletable(entry));
    };
    const paths =
      which === "in" ? this.superfluous.in(place, obstacle) : this.superfluous.removalsOf(place, obstacle);
    let isTouched = false;
    for (const path of paths) {
      if (refusal !== undefined) yield { kind: "refuse", reason: refusal.reason };
      refusal = undefined;
      if (path !== undefined) {
        isTouched = true;
        yield* refused(() => this.obstacles.checkRemovable(path));
        this.precedence.noteTaken(path);
        yield { kind: "remove", path };
        for (const one of this.superfluous.pathsBelow(path)) yield { kind: "goes", path: one };
      }
      yield undefined;
    }
    return isTouched;
  }

  /**
   * Something else replaces a directory. Everything in the directory is deleted then, if the sender wants deletions;
   * otherwise only an empty directory can be replaced.
   */
  private *planReplaced(path: string, stats: FileStats): Decisions<void> {
    if (!this.superfluous.mayDelete && this.superfluous.hasEntries(path))
      yield { kind: "refuse", reason: reason("not-empty", path) };
    let refusal: StageError | undefined;
    const obstacle = (entry: EntryBelow) => {
      refusal ??= refusalOf(() => this.obstacles.checkDeletable(entry));
    };
    if (!(yield* this.superfluous.replaced(path, stats, obstacle)))
      yield { kind: "refuse", reason: reason("holds-excluded", path) };
    if (refusal !== undefined) yield { kind: "refuse", reason: refusal.reason };
    this.precedence.noteTaken(path);
    for (const one of this.superfluous.pathsBelow(path)) yield { kind: "goes", path: one };
  }

  /** A missing directory must be one that this transfer creates; otherwise its entries would be lost. */
  private checkBrought(path: string): void {
    if (!this.brought.has(path)) throw StageError.of("vanished", path);
  }

  /** Records a file that stays as it is on this member: its further names become files of their own. */
  private noteExcluded(path: string, entry: Entry): void {
    const { extras } = entry;
    if (entry.type !== EntryType.file || extras?.hasOtherNames !== true) return;
    this.excludedFiles.set(path, { ...entry, extras: { ...extras, hasOtherNames: false } });
  }

  /** Whether this member keeps an entry as it is, by the type that it has now or by the one that it would get. */
  private isProtected(path: string, entry: Entry, stats: FileStats | undefined): boolean {
    const { protection } = this;
    if (protection === undefined) return false;
    if (protection.coversEntry(path, isDirectory(entry))) return true;
    if (stats === undefined || stats.isDirectory() === isDirectory(entry)) return false;
    if (protection.coversEntry(path, stats.isDirectory())) return true;
    const kept = stats.isDirectory() ? protection.findBelow(this.tree, path) : undefined;
    if (kept === undefined) return false;
    throw StageError.of("holds-protected", path, kept);
  }
}

/** A name without the differences that a file system may ignore. */
function foldedName(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8").normalize("NFC").toLowerCase();
}

function isDirectory({ type }: Entry): boolean {
  return type === EntryType.directory || type === EntryType.passage;
}

function* leaveOut(path: string): Decisions<number> {
  yield { kind: "skip", path, reason: reason("cannot-be-made") };
  return 0;
}
