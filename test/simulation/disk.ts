import { Bitmap } from "../../src/base/bitmap.ts";
import type { StageOutcome } from "../../src/engine/types.ts";
import { type Finding, FindingKind, makeFinding } from "../../src/wire/findings.ts";
import { check } from "./check.ts";

/** What a block of a simulated transfer holds. */
export type BlockContent =
  | { readonly kind: "manifest"; readonly firstEntry: number; readonly entries: readonly SimulatedEntry[] }
  | { readonly kind: "data"; readonly pieces: readonly { readonly entry: number; readonly piece: number }[] };

export interface SimulatedEntry {
  readonly path: string;
  readonly version: string;
  readonly pieces: number;
}

interface Staged {
  readonly dryRun: boolean;
  entries: SimulatedEntry[];
  wanted: Map<number, Set<number>>;
  blocks: Set<number>;
  state: "staging" | "prepared" | "committing" | "committed";
  writes: [string, string][];
  findings: Finding[];
}

/**
 * A disk that can crash at any step. The tree and what has been prepared survive; what is only staged does not.
 */
export class SimulatedDisk {
  readonly tree: Map<string, string>;
  private readonly staged = new Map<string, Staged>();
  /** Every transfer that this disk has ever switched to, in the order in which it did, for the oracles. */
  readonly committed = new Set<string>();

  constructor(tree: Map<string, string>) {
    this.tree = tree;
  }

  open(name: string, dryRun: boolean): void {
    check(!this.staged.has(name), `${name} is staged twice`);
    const empty = { entries: [], wanted: new Map(), blocks: new Set<number>(), writes: [], findings: [] };
    this.staged.set(name, { dryRun, state: "staging", ...empty });
  }

  stage(name: string, block: number, content: BlockContent): StageOutcome {
    const staged = this.staged.get(name);
    check(staged !== undefined, `a block of ${name} is staged without its beginning`);
    check(staged.state === "staging", `a block of ${name} is staged too late`);
    check(!staged.blocks.has(block), `block ${block} of ${name} is staged twice`);
    staged.blocks.add(block);
    if (content.kind === "manifest") return this.plan(staged, content);
    for (const { entry, piece } of content.pieces) staged.wanted.get(entry)?.delete(piece);
    return { kind: "staged", wants: undefined, differences: undefined, findings: staged.findings.length };
  }

  private plan(staged: Staged, content: Extract<BlockContent, { kind: "manifest" }>): StageOutcome {
    check(content.firstEntry === staged.entries.length, "manifest blocks are staged in their order");
    const wants = new Bitmap(content.entries.length);
    content.entries.forEach((entry, index) => {
      staged.entries.push(entry);
      if (this.tree.get(entry.path) === entry.version) return;
      wants.set(index);
      const pieces = new Set(Array.from({ length: entry.pieces }, (_, piece) => piece));
      staged.wanted.set(content.firstEntry + index, pieces);
      staged.writes.push([entry.path, entry.version]);
    });
    for (let count = content.entries.length % 4; count > 0; count--) {
      // Long paths, so that a few of them fill several messages.
      const number = String(staged.findings.length).padStart(600, "0");
      staged.findings.push(makeFinding(FindingKind.superfluous, number));
    }
    return { kind: "staged", wants, differences: undefined, findings: staged.findings.length };
  }

  prepare(name: string): void {
    const staged = this.staged.get(name)!;
    check(!staged.dryRun, `${name} is only a dry run`);
    check(staged.state === "staging", `${name} is prepared twice`);
    for (const pieces of staged.wanted.values())
      check(pieces.size === 0, `${name} is prepared before it is whole`);
    staged.state = "prepared";
  }

  beginCommit(name: string): void {
    const staged = this.staged.get(name);
    check(staged?.state === "prepared", `${name} is committed in state ${staged?.state}`);
    for (const [other, { state }] of this.staged)
      check(state !== "committing", `${name} is committed while ${other} is`);
    staged.state = "committing";
  }

  /** One rename; false when none is left and the commit is done. */
  commitStep(name: string): boolean {
    const staged = this.staged.get(name)!;
    const write = staged.writes.shift();
    if (write !== undefined) {
      this.tree.set(...write);
      return true;
    }
    check(!this.committed.has(name), `${name} is committed twice`);
    this.committed.add(name);
    staged.state = "committed";
    return false;
  }

  discard(name: string): void {
    const state = this.staged.get(name)?.state;
    check(state !== "committing" && state !== "committed", `${name} is discarded although it is ${state}`);
    this.staged.delete(name);
  }

  /** After a crash: what was being committed is finished, everything else is thrown away. */
  recover(): void {
    for (const [name, staged] of this.staged) {
      if (staged.state === "committing") while (this.commitStep(name));
      if (staged.state !== "committed") this.staged.delete(name);
    }
  }

  /** What there is to tell of a transfer; nothing of one that has ended. */
  findingsOf(name: string): readonly Finding[] {
    return this.staged.get(name)?.findings ?? [];
  }

  /** For the oracles: what an acknowledgement may claim. */
  isStagedBelow(name: string, block: number): boolean {
    const staged = this.staged.get(name);
    for (let number = 0; number < block; number++) if (!staged?.blocks.has(number)) return false;
    return true;
  }

  stateOf(name: string): Staged["state"] | undefined {
    return this.staged.get(name)?.state;
  }
}
