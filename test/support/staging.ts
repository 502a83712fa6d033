import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Reason, sentenceOf } from "../../src/base/reason.ts";
import { finish } from "../../src/base/steps.ts";
import { type SettledManifest, WantCollector } from "../../src/engine/sender/wants.ts";
import type { StagePlan } from "../../src/tree/decide/planner.ts";
import { type CompressionMode, unpack } from "../../src/tree/entries/compression.ts";
import { SegmentKind, segmentsOf } from "../../src/wire/data-block.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { withClosedDirectories } from "../../src/tree/disk/closed-directories.ts";
import { LinuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { Owners } from "../../src/tree/entries/owners.ts";
import { NO_RULES, type ScanRules } from "../../src/tree/scan/request.ts";
import { Source, type SourceNotice } from "../../src/tree/scan/source.ts";
import type { Protection } from "../../src/tree/decide/protection.ts";
import { DEFAULT_DELETE_LIMIT } from "../../src/tree/decide/superfluous.ts";
import { exactError } from "../../src/tree/apply/no-inodes.ts";
import { Stage } from "../../src/tree/apply/stage.ts";
import type { ManifestRecord } from "../../src/tree/apply/manifest-record.ts";
import { type AttributeRules, groupsOfProcess } from "../../src/tree/entries/attributes.ts";
import { BLOCK_PLAINTEXT_BYTES, BlockKind } from "../../src/wire/datagram.ts";
import { decodeManifest } from "../../src/wire/manifest.ts";

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
  /** Whether the sender tells digests of files that the receiver may have by other names. */
  tellsDigests = true;
  /** Whether the sender tells chunks of large files that the receiver has in another version. */
  tellsChunks = true;
  /** The chunks that another member needs, which has the rest. */
  needs: (index: number) => boolean = () => false;
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
  /** How many bytes of contents were sent in all stagings. */
  sentBytes = 0;
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
      {
        rules: { ...NO_RULES, ...this.scanRules },
        dryRun,
        compression: this.compression,
        tellsDigests: this.tellsDigests,
        tellsChunks: this.tellsChunks,
      },
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
        const plan = finish(stage.plan(plaintext));
        this.wanted += plan.wants.count();
        this.differences.push(...(plan.differences ?? []));
        if (decodeManifest(plaintext).chunks !== undefined)
          for (let index = 0; index < made.entries; index++) if (this.needs(index)) plan.wants.set(index);
        for (const settled of settledBy(number, made.entries, plan)) source.settle(number, settled);
      } else {
        for (const segment of segmentsOf(plaintext, unpack)) {
          this.sentSegments++;
          if (segment.kind === SegmentKind.content) this.sentBytes += segment.bytes.length;
        }
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

/** What the sender makes of the answer of its only member to a manifest block. */
export function settledBy(
  block: number,
  entryCount: number,
  { wants, differences }: StagePlan,
): SettledManifest[] {
  const collector = new WantCollector();
  collector.add(block, entryCount);
  assert.ok(collector.note("member", { block, entries: wants, differences }));
  return collector.takeSettled(["member"]);
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

/**
 * Does something before each call of one kind to the disk of this host, while some work is done.
 *
 * @param before gets the descriptor of the file or directory; the call fails with what it throws
 */
export function whileCalling(
  call: "link" | "makeDirectory" | "read",
  before: (first: number) => void,
  work: () => void,
): void {
  const calls = LinuxDisk.prototype as unknown as Record<string, (...given: unknown[]) => unknown>;
  const original = calls[call];
  calls[call] = function (this: unknown, ...given: unknown[]) {
    before(Number(given[0]));
    return original?.apply(this, given);
  };
  try {
    work();
  } finally {
    if (original !== undefined) calls[call] = original;
  }
}
