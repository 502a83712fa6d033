/** The answers of all members to the manifest blocks. */
import { Bitmap } from "../../base/bitmap.ts";
import {
  entriesHadNowhere,
  entriesMissing,
  entriesNeedingContents,
  separateEntries,
} from "../../wire/differences.ts";
import type { Want } from "../../wire/status-message.ts";
import type { MemberWant } from "../types.ts";

/** A manifest block with the answers of all members. */
export interface SettledManifest {
  readonly block: number;
  /** The entries that differ at some member. */
  readonly union: Bitmap;
  /** The entries of which some member needs the contents, except for those of `elsewhere`. */
  readonly contents: Bitmap;
  /**
   * The files that all members that need their contents may have by other names, so that digests are told first; undefined if
   * there are none. A hard link that becomes a file of its own looks the same here.
   */
  readonly elsewhere?: Bitmap;
  /** Those of `elsewhere` that some member does not have by this name; undefined if there are none. */
  readonly moved?: Bitmap;
  /** The hard links that some member makes files of their own; undefined if there are none. */
  readonly separate?: Bitmap;
  readonly wants: readonly MemberWant[];
}

type Answer = Omit<MemberWant, "epoch">;

/** Collects the answers to each manifest block until the last member has answered (PROTOCOL.md 5.2). */
export class WantCollector {
  private readonly open = new Map<number, { entries: number; answers: Map<string, Answer> }>();

  /** A manifest block was made: every member has to answer for it. */
  add(block: number, entries: number): void {
    this.open.set(block, { entries, answers: new Map() });
  }

  /** Manifest blocks below this number are all settled. */
  settledBelow(producedBlocks: number): number {
    // Blocks are added in order and a Map keeps it.
    for (const block of this.open.keys()) return block;
    return producedBlocks;
  }

  get isEmpty(): boolean {
    return this.open.size === 0;
  }

  /** Whether a member has yet to answer some block. */
  isOwedBy(epoch: string): boolean {
    for (const { answers } of this.open.values()) if (!answers.has(epoch)) return true;
    return false;
  }

  /** Notes a member's answer; false when it does not fit the block. An answer to a settled block is an echo. */
  note(epoch: string, want: Want): boolean {
    const manifest = this.open.get(want.block);
    if (manifest === undefined) return true;
    if (want.entries.size !== manifest.entries) return false;
    manifest.answers.set(epoch, { entries: want.entries, differences: want.differences });
    return true;
  }

  /** Drops the answers of a member that will answer again. */
  forget(epoch: string): void {
    for (const { answers } of this.open.values()) answers.delete(epoch);
  }

  /** Takes the blocks that all of these members have answered. */
  takeSettled(epochs: readonly string[]): SettledManifest[] {
    const settled: SettledManifest[] = [];
    for (const [block, manifest] of this.open) {
      if (manifest.answers.size < epochs.length) continue;
      if (!epochs.every((epoch) => manifest.answers.has(epoch))) continue;
      this.open.delete(block);
      const wants = epochs.map((epoch) => ({ epoch, ...(manifest.answers.get(epoch) as Answer) }));
      settled.push({ block, ...unionOf(manifest.entries, wants), wants });
    }
    return settled;
  }
}

/** What all members together need of a manifest block. */
function unionOf(size: number, wants: readonly MemberWant[]): Omit<SettledManifest, "block" | "wants"> {
  const union = new Bitmap(size);
  const contents = new Bitmap(size);
  const separate = new Bitmap(size);
  const elsewhere = new Bitmap(size);
  const moved = new Bitmap(size);
  for (const { entries, differences } of wants) {
    union.merge(entries);
    contents.merge(differences === undefined ? entries : entriesHadNowhere(differences));
    if (differences === undefined) continue;
    separate.merge(separateEntries(differences));
    elsewhere.merge(entriesNeedingContents(differences));
    moved.merge(entriesMissing(differences));
  }
  // What one member has to get, all of them get.
  elsewhere.remove(contents);
  moved.remove(contents);
  return {
    union,
    contents,
    ...(separate.count() > 0 && { separate }),
    ...(elsewhere.count() > 0 && { elsewhere }),
    ...(moved.count() > 0 && { moved }),
  };
}
