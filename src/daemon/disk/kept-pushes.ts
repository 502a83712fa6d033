/** What the writing thread keeps of what transfers replace or delete, so that a push can be taken back. */
import type { Reason } from "../../base/reason.ts";
import { finish } from "../../base/steps.ts";
import { boundKeptAreas, type KeptArea, keptAreas, removeOldest } from "../../tree/apply/kept-areas.ts";
import { type Stage, stageFailure } from "../../tree/apply/stage.ts";
import type { StagingRules } from "../../tree/apply/staging-root.ts";
import type { Directories } from "../../tree/disk/directories.ts";
import type { UndoBounds } from "../../tree/apply/kept-areas.ts";
import type { KeptChange } from "./messages.ts";

export class KeptPushes {
  private readonly rules: StagingRules;
  private readonly tell: (change: KeptChange) => void;
  private readonly base: () => Directories;
  private count = 0;
  /** How much is kept from now on. */
  bounds: UndoBounds;

  /**
   * @param base gives the base directory of the moment
   * @param tell called when what can be taken back has changed
   */
  constructor(
    base: () => Directories,
    rules: StagingRules,
    bounds: UndoBounds,
    tell: (change: KeptChange) => void,
  ) {
    this.base = base;
    this.rules = rules;
    this.bounds = bounds;
    this.tell = tell;
  }

  /** Whether commits keep what they replace. */
  get isOn(): boolean {
    return this.bounds.pushes > 0;
  }

  /** Looks at what an earlier run has kept; the settings may have changed. */
  look(): void {
    this.count = keptAreas(this.base(), this.rules).length;
    if (this.count > 0) finish(this.bound());
  }

  /** A transfer has ended: what it kept is added, and the oldest may have to go, step by step. */
  *noteEnd(name: string, stage: Stage | undefined): Generator<undefined> {
    if (stage?.isSwitched !== true) return;
    if (stage.lacking !== undefined) this.report([name], "commit", stage.lacking);
    else if (this.isOn || this.count > 0) yield* this.bound();
  }

  /**
   * Gives the space of the oldest to a transfer that needs it.
   *
   * @returns whether there was anything to give
   */
  makeRoom(): boolean {
    if (this.count === 0) return false;
    let removed: KeptArea | undefined;
    try {
      removed = removeOldest(this.base(), this.rules);
    } catch {
      // The transfer fails for its space, and says so.
      return false;
    }
    this.report(removed === undefined ? [] : [removed.name], "space");
    return removed !== undefined;
  }

  private *bound(): Generator<undefined> {
    let failure: Reason | undefined;
    let removed: readonly KeptArea[] = [];
    try {
      removed = yield* boundKeptAreas(this.base(), this.rules, this.bounds);
    } catch (error) {
      failure = stageFailure(error);
    }
    this.report(
      removed.map(({ name }) => name),
      "bounds",
      undefined,
      failure,
    );
  }

  private report(dropped: readonly string[], why: KeptChange["why"], path?: string, failure?: Reason): void {
    const areas = keptAreas(this.base(), this.rules);
    this.count = areas.length;
    this.tell({ areas, dropped, why, path, failure });
  }
}
