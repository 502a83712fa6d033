import type { Reason } from "../../src/base/reason.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { Stage } from "../../src/tree/apply/stage.ts";
import type { StagePlan } from "../../src/tree/decide/planner.ts";
import { DEFAULT_DELETE_LIMIT } from "../../src/tree/decide/superfluous.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import type { AttributeRules } from "../../src/tree/entries/attributes.ts";
import { Owners } from "../../src/tree/entries/owners.ts";
import { NO_RULES } from "../../src/tree/scan/request.ts";
import { Source } from "../../src/tree/scan/source.ts";
import { BLOCK_PLAINTEXT_BYTES, BlockKind } from "../../src/wire/datagram.ts";
import { entriesNeedingContents } from "../../src/wire/differences.ts";
import { FindingKind } from "../../src/wire/findings.ts";
import { STAGING_NAME } from "../../src/wire/path-rules.ts";
import { describeTree } from "../disk/describe-tree.ts";
import { MemoryDisk } from "../disk/memory-disk.ts";
import type { MemoryDiskOptions } from "../disk/memory-machine.ts";
import { changeTree, growTree } from "./random-tree.ts";
import { carryOut, finish } from "../support/staging.ts";

/** One push from one disk in memory to another, with the real code of both sides and nothing in between. */

/** How far the push has come at the receiver. */
export type Phase = "staging" | "prepared" | "committing" | "committed" | "cleaned";

/** A receiver's answers to the manifest, and its findings. */
export interface PushReport {
  readonly answers: readonly string[];
  readonly findings: readonly string[];
  readonly entries: number;
  readonly bytes: number;
}

export class MemoryPush {
  readonly from = new MemoryDisk({ clock: () => 1_900_000_000_000_000_000n });
  readonly to: MemoryDisk;
  readonly rules: AttributeRules = { owners: new Owners(), keepOwner: true, ownGroups: new Set([0]) };
  /** The receiver's tree before the push, and the sender's. */
  readonly before: string;
  readonly after: string;
  phase: Phase = "staging";
  /** How many notes the receiver has reported of entries that could not get everything. */
  notes = 0;
  /** The result of the commit. */
  failure: Reason | undefined;

  /** Makes both trees from random numbers; the receiver's is durable. */
  constructor(seed: number, options: MemoryDiskOptions) {
    const random = new SeededRandom(seed);
    this.to = new MemoryDisk(options);
    growTree(this.from, this.from.openRoot("/"), random);
    new Transfer(this, "old-1").run();
    this.phase = "staging";
    this.before = treeOf(this.to);
    changeTree(this.from, this.from.openRoot("/"), random);
    this.after = treeOf(this.from);
    this.to.settle();
  }

  /** @throws errors of the receiver's disk, or a StageError */
  run(): void {
    new Transfer(this, "new-2").run();
  }

  /** The report of the push without the push: wants and findings. */
  report(dryRun: boolean): PushReport {
    return new Transfer(this, "told-3").report(dryRun);
  }
}

/** One transfer of everything. */
class Transfer {
  private readonly push: MemoryPush;
  private readonly name: string;

  constructor(push: MemoryPush, name: string) {
    this.push = push;
    this.name = name;
  }

  run(): void {
    const { push } = this;
    const stage = this.stage();
    try {
      stage.prepare();
      push.phase = "prepared";
      push.notes = notesOf(stage);
      push.phase = "committing";
      push.failure = carryOut(stage);
      push.phase = "committed";
    } finally {
      finish(stage.clean());
    }
    push.phase = "cleaned";
  }

  report(dryRun: boolean): PushReport {
    const answers: string[] = [];
    const stage = this.stage(dryRun, (plan) =>
      answers.push(`${plan.wants.bytes.join()} ${(plan.differences ?? []).join()}`),
    );
    const findings = stage
      .findingsFrom(0, stage.findingCount)
      .map((one) => `${one.kind} ${one.path} ${one.text}`);
    const report = { answers, findings, ...stage.totals };
    finish(stage.clean());
    return report;
  }

  /** Sends and stages everything. */
  private stage(dryRun = false, onPlan: (plan: StagePlan) => void = () => undefined): Stage {
    const { from, to, rules } = this.push;
    const scanRules = { ...NO_RULES, deletes: "also", isForced: true, sendsAttributes: true } as const;
    const request = { paths: [""], recursive: true };
    const source = new Source("/", new Owners(), request, { rules: scanRules, dryRun }, undefined, from);
    const extras = { protection: undefined, listsChanges: false, deleteLimit: DEFAULT_DELETE_LIMIT };
    const stage = new Stage(Directories.at(to, "/"), rules, this.name, dryRun, extras);
    const memory = new Uint8Array(BLOCK_PLAINTEXT_BYTES);
    for (let number = 0; !source.isEnded; number++) {
      const made = source.makeBlock(number, memory);
      if (made === undefined) continue;
      const plaintext = memory.slice(0, made.bytes);
      if (made.kind === BlockKind.manifest) {
        const plan = finish(stage.plan(plaintext));
        onPlan(plan);
        const { wants, differences } = plan;
        source.settle(number, wants, differences === undefined ? wants : entriesNeedingContents(differences));
      } else stage.write(plaintext);
    }
    source.close();
    return stage;
  }
}

function notesOf(stage: Stage): number {
  const findings = stage.findingsFrom(0, stage.findingCount);
  return findings.filter(({ kind }) => kind === FindingKind.note).length;
}

/** Everything visible of a tree, as text. */
export function treeOf(disk: MemoryDisk): string {
  const root = disk.openRoot("/");
  const lines = describeTree(disk, root);
  disk.closeDirectory(root);
  return lines.join("\n");
}

/** Whether the staging area exists. */
export function isStaged(disk: MemoryDisk): boolean {
  const root = disk.openRoot("/");
  return disk.stat(root, STAGING_NAME) !== undefined;
}
