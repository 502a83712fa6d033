import { finish } from "../../src/base/steps.ts";
import { Bitmap } from "../../src/base/bitmap.ts";
import { DecodeError } from "../../src/base/bytes.ts";
import { type Reason, reason, sentenceOf } from "../../src/base/reason.ts";
import { type InboundKey, inboundName, type Input, type StageOutcome } from "../../src/engine/types.ts";
import { changesOf, type ReadyChange } from "../../src/tree/apply/ready-steps.ts";
import { type RecoveredTransfer, recover } from "../../src/tree/apply/recovery.ts";
import { Stage, stageFailure } from "../../src/tree/apply/stage.ts";
import type { StagePlan } from "../../src/tree/decide/planner.ts";
import type { DeleteLimit } from "../../src/tree/decide/superfluous.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import type { AttributeRules } from "../../src/tree/entries/attributes.ts";
import { Owners } from "../../src/tree/entries/owners.ts";
import { RefusalError } from "../../src/tree/reasons/stage-error.ts";
import { BlockKind } from "../../src/wire/datagram.ts";
import type { Finding } from "../../src/wire/findings.ts";
import type { MemoryDisk } from "../disk/memory-disk.ts";

/** Findings in one answer. */
const FINDINGS = 800;

const CORRUPT = { kind: "corrupt" } as const;

interface OpenStage {
  readonly key: InboundKey;
  readonly stage: Stage | undefined;
  planning?: Generator<undefined, StagePlan>;
  readonly failure: string | undefined;
  /** Whether its commit is over, except for what is still to be deleted. */
  hasSwitched: boolean;
}

/** Names are those of numbers: what the accounts of the machine that runs this are called makes no difference. */
class NamelessOwners extends Owners {
  override refresh(): void {
    // There is nothing to read.
  }
}

export const RULES: AttributeRules = {
  owners: new NamelessOwners(),
  keepOwner: true,
  ownGroups: new Set([0]),
};

export interface StageSettings {
  readonly listsChanges: boolean;
  readonly deleteLimit: DeleteLimit;
}

/** Calls stages in the order in which the daemon's stage thread (src/daemon/disk/stage-thread.ts) calls them. */
export class StageDriver {
  private readonly disk: MemoryDisk;
  private readonly settings: StageSettings;
  private readonly stages = new Map<string, OpenStage>();
  private base: Directories | undefined;

  constructor(disk: MemoryDisk, settings: StageSettings) {
    this.disk = disk;
    this.settings = settings;
  }

  recover(): RecoveredTransfer[] {
    return recover(this.baseDirectory(), RULES);
  }

  open(key: InboundKey, dryRun: boolean): void {
    const name = inboundName(key);
    try {
      if (this.stages.size === 0) this.reopenBase();
      const { listsChanges, deleteLimit } = this.settings;
      const extras = { protection: undefined, listsChanges, deleteLimit };
      const stage = new Stage(this.baseDirectory(), RULES, name, dryRun, extras);
      this.stages.set(name, { key, stage, failure: undefined, hasSwitched: false });
    } catch (error) {
      const failure = `the base directory: ${sentenceOf(stageFailure(error))}`;
      this.stages.set(name, { key, stage: undefined, failure, hasSwitched: false });
    }
  }

  has(name: string): boolean {
    return this.stages.has(name);
  }

  /** @returns undefined where there are more steps to take */
  stage(name: string, kind: number, plaintext: Uint8Array): StageOutcome | undefined {
    const open = this.stages.get(name);
    if (open === undefined) return CORRUPT;
    if (open.stage === undefined) return { kind: "failed", reason: open.failure ?? "" };
    try {
      if (kind === BlockKind.manifest) {
        open.planning = open.stage.plan(plaintext);
        return this.goOn(open, open.planning);
      }
      open.stage.write(plaintext);
      const findings = open.stage.findingCount;
      return { kind: "staged", wants: undefined, differences: undefined, findings };
    } catch (error) {
      return { kind: "failed", reason: blockFailure(error) };
    }
  }

  planningOf(name: string): unknown {
    return this.stages.get(name)?.planning;
  }

  /** Takes the next step of a comparison. */
  resume(name: string, planning: unknown): StageOutcome | undefined {
    const open = this.stages.get(name);
    if (open?.planning === undefined || open.planning !== planning) return CORRUPT;
    try {
      return this.goOn(open, open.planning);
    } catch (error) {
      return { kind: "failed", reason: blockFailure(error) };
    }
  }

  prepare(key: InboundKey): Extract<Input, { kind: "prepared" }> | undefined {
    const open = this.stages.get(inboundName(key));
    if (open === undefined) return undefined;
    let isRefusal = false;
    const prepare = () => open.stage?.prepare();
    const failure = open.failure ?? attempt(prepare, () => (isRefusal = true));
    return { kind: "prepared", key, failure, isRefusal, findings: open.stage?.findingCount ?? 0 };
  }

  changesOf(name: string): Iterable<ReadyChange> {
    return changesOf(this.stages.get(name)?.stage?.steps() ?? []);
  }

  /**
   * The others look first at what this one is going to do.
   *
   * @returns those that can no longer commit
   */
  letYield(name: string): Extract<Input, { kind: "overtaken" }>[] {
    const open = this.stages.get(name);
    const overtaken: Extract<Input, { kind: "overtaken" }>[] = [];
    for (const other of this.stages.values()) {
      if (other === open || other.hasSwitched || open?.stage === undefined) continue;
      const failure = other.stage?.yieldTo(open.stage.steps());
      if (failure !== undefined)
        overtaken.push({ kind: "overtaken", key: other.key, failure: sentenceOf(failure) });
    }
    return overtaken;
  }

  /** @returns why not, where it failed */
  commit(name: string): string | undefined {
    const open = this.stages.get(name);
    if (open !== undefined) open.hasSwitched = true;
    return attempt(() => open?.stage?.commit());
  }

  /** Deletes what a commit has taken out of the tree. Returns why the commit and this have failed, if they have. */
  clear(name: string): string | undefined {
    const stage = this.stages.get(name)?.stage;
    return stage === undefined ? undefined : attempt(() => finish(stage.clear()));
  }

  /** @returns why something is left, where it is */
  end(name: string): string | undefined {
    const open = this.stages.get(name);
    this.stages.delete(name);
    if (open === undefined) return undefined;
    open.planning?.return({ wants: new Bitmap(0), differences: undefined });
    delete open.planning;
    const { stage } = open;
    return stage === undefined ? undefined : attempt(() => void finish(stage.clean()));
  }

  find(name: string, first: number): readonly Finding[] {
    return this.stages.get(name)?.stage?.findingsFrom(first, FINDINGS) ?? [];
  }

  private goOn(open: OpenStage, planning: Generator<undefined, StagePlan>): StageOutcome | undefined {
    const step = planning.next();
    if (step.done !== true) return undefined;
    delete open.planning;
    return { kind: "staged", ...step.value, findings: open.stage?.findingCount ?? 0 };
  }

  private baseDirectory(): Directories {
    this.base ??= Directories.at(this.disk, "/");
    return this.base;
  }

  private reopenBase(): void {
    this.base?.close();
    this.base = undefined;
  }
}

function attempt(work: () => Reason | undefined | void, onRefusal?: () => void): string | undefined {
  try {
    const failure = work() ?? undefined;
    return failure === undefined ? undefined : sentenceOf(failure);
  } catch (error) {
    if (error instanceof RefusalError) onRefusal?.();
    return sentenceOf(stageFailure(error));
  }
}

function blockFailure(error: unknown): string {
  if (error instanceof DecodeError) return sentenceOf(reason("bad-block", undefined, error.message));
  return sentenceOf(stageFailure(error));
}
