import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Reason, sentenceOf } from "../../src/base/reason.ts";
import { finish } from "../../src/base/steps.ts";
import { type CompressionMode, unpack } from "../../src/tree/entries/compression.ts";
import { segmentsOf } from "../../src/wire/data-block.ts";
import { entriesNeedingContents, separateEntries } from "../../src/wire/differences.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { withClosedDirectories } from "../../src/tree/disk/closed-directories.ts";
import { LinuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { Owners } from "../../src/tree/entries/owners.ts";
import { NO_RULES, type ScanRules } from "../../src/tree/scan/request.ts";
import { Source, type SourceNotice } from "../../src/tree/scan/source.ts";
import type { Protection } from "../../src/tree/decide/protection.ts";
import { DEFAULT_DELETE_LIMIT } from "../../src/tree/decide/superfluous.ts";
import { exactError } from "../../src/tree/apply/no-inodes.ts";
import { type ManifestRecord, Stage } from "../../src/tree/apply/stage.ts";
import { type AttributeRules, groupsOfProcess } from "../../src/tree/entries/attributes.ts";
import { BLOCK_PLAINTEXT_BYTES, BlockKind } from "../../src/wire/datagram.ts";

export { finish };

/** The disk of a receiver, as the daemon has it. */
const MemberDisk = withClosedDirectories(LinuxDisk);

/** A sender's and a receiver's tree in temporary directories, connected without a network. */
export class StagingPair {
  readonly directory: string;
  readonly from: string;
  readonly to: string;
  readonly rules: AttributeRules = {
    owners: new Owners(),
    keepOwner: process.getuid?.() === 0,
    ownGroups: groupsOfProcess(),
  };
  /** Rules for the entries that the sender leaves out. */
  scanRules: Partial<ScanRules> = {};
  /** Paths that the receiver protects. */
  protection: Protection | undefined;
  listsChanges = false;
  /** Whether the sender compresses contents. */
  compression: CompressionMode = "no";
  deleteLimit = DEFAULT_DELETE_LIMIT;
  /** Hears of the manifest of each transfer. */
  manifest: ManifestRecord | undefined;
  notices: SourceNotice[] = [];
  /** How many entries were wanted in all stagings. */
  wanted = 0;
  /** Called before each block is staged. */
  beforeBlock: (number: number) => void = () => undefined;
  /** The differences of all entries, as far as the stagings have reported them. */
  differences: number[] = [];
  /** How many segments of contents were sent in all stagings. */
  sentSegments = 0;
  private stages = 0;
  /** The receiver's tree, once for each transfer. */
  private readonly bases: Directories[] = [];

  /**
   * @param parent the directory in which both trees are made
   * @param to the receiver's tree, if it is to be somewhere else
   */
  constructor(parent = os.tmpdir(), to?: string) {
    this.directory = fs.mkdtempSync(path.join(parent, "makuosan-stage-"));
    this.from = path.join(this.directory, "from");
    this.to = to ?? path.join(this.directory, "to");
    fs.mkdirSync(this.from);
    fs.mkdirSync(this.to, { recursive: true });
    this.rules.owners.refresh();
  }

  /** Sends and stages everything, but does not prepare or commit it. */
  stage(paths: readonly string[] = [""], dryRun = false, recursive = true): Stage {
    const source = new Source(
      this.from,
      new Owners(),
      { paths, recursive },
      { rules: { ...NO_RULES, ...this.scanRules }, dryRun, compression: this.compression },
    );
    const base = Directories.at(new MemberDisk(), this.to);
    this.bases.push(base);
    const stage = new Stage(base, this.rules, `t-${++this.stages}`, dryRun, {
      protection: this.protection,
      listsChanges: this.listsChanges,
      deleteLimit: this.deleteLimit,
      manifest: this.manifest,
    });
    try {
      this.send(source, stage);
    } catch (error) {
      // As the daemon ends a transfer that has failed.
      const exact = exactError(error, base);
      finish(stage.clean());
      throw exact;
    } finally {
      source.close();
    }
    return stage;
  }

  /** From the first block to the last one. */
  private send(source: Source, stage: Stage): void {
    const memory = new Uint8Array(BLOCK_PLAINTEXT_BYTES);
    for (let number = 0; !source.isEnded; number++) {
      const made = source.makeBlock(number, memory);
      this.notices.push(...source.takeNotices());
      if (made === undefined) continue;
      const plaintext = memory.slice(0, made.bytes);
      this.beforeBlock(number);
      if (made.kind === BlockKind.manifest) {
        const { wants, differences } = finish(stage.plan(plaintext));
        this.wanted += wants.count();
        this.differences.push(...(differences ?? []));
        const separate = differences === undefined ? undefined : separateEntries(differences);
        const needed = differences === undefined ? wants : entriesNeedingContents(differences);
        source.settle(number, wants, needed, separate);
      } else {
        this.sentSegments += [...segmentsOf(plaintext, unpack)].length;
        stage.write(plaintext);
      }
    }
  }

  /** A whole transfer. */
  push(paths?: readonly string[], recursive = true): void {
    const stage = this.stage(paths, false, recursive);
    stage.prepare();
    carryOut(stage);
    finish(stage.clean());
  }

  /** The rest below .makuosan. */
  leftOver(): string[] {
    const area = path.join(this.to, ".makuosan");
    return fs.existsSync(area) ? fs.readdirSync(area) : [];
  }

  /** Closes the files of all transfers, as the end of a process does. */
  closeFiles(): void {
    for (const base of this.bases.splice(0)) base.close();
  }

  destroy(): void {
    this.closeFiles();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

/**
 * Commits, and deletes what has left the tree.
 *
 * @returns why a part of it failed
 */
export function carryOut(stage: Stage): Reason | undefined {
  const failure = stage.commit();
  return finish(stage.clear()) ?? failure;
}

/** A failure as the sender shows it; empty if there is none. */
export function textOf(failure: Reason | undefined): string {
  return failure === undefined ? "" : sentenceOf(failure);
}

/** A tree as text: every path with its contents. */
export function contents(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of fs.readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const full = path.join(entry.parentPath, entry.name);
    const name = path.relative(directory, full);
    if (name.startsWith(".makuosan")) continue;
    if (entry.isDirectory()) found[name] = "directory";
    else if (entry.isSymbolicLink()) found[name] = `link to ${fs.readlinkSync(full)}`;
    else found[name] = fs.readFileSync(full, "latin1");
  }
  return found;
}

/** Runs some work, and `meanwhile` each time that the manifest has been sent and its files are about to be read. */
export function whileSettling<T>(meanwhile: () => void, work: () => T): T {
  const original = Object.getOwnPropertyDescriptor(Source.prototype, "settle")!;
  const settle = original.value as Source["settle"];
  Source.prototype.settle = function (this: Source, ...settled) {
    meanwhile();
    return settle.apply(this, settled);
  };
  try {
    return work();
  } finally {
    Object.defineProperty(Source.prototype, "settle", original);
  }
}

/** Lets a file of the sender's tree vanish between its manifest and its reading. */
export function whileVanishing<T>(file: string, work: () => T): T {
  return whileSettling(() => fs.rmSync(file, { force: true }), work);
}
