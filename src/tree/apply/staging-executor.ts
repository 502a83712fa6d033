/** A push: decisions become staged entries and steps of the journal. */
import { EntryType } from "../../wire/entry.ts";
import { NO_METADATA } from "../../wire/metadata.ts";
import { type Decision, type Outcome, StepKind } from "../decide/decision.ts";
import { StageError } from "../reasons/stage-error.ts";
import type { Executor } from "./executor.ts";
import type { Staging } from "./staging.ts";

/** Stages the results of decisions; the tree itself is not touched. */
export class StagingExecutor implements Executor {
  readonly onlyReports = false;
  private readonly staging: Staging;

  constructor(staging: Staging) {
    this.staging = staging;
  }

  get writtenBytes(): number {
    return this.staging.writtenBytes;
  }

  carryOut(decision: Decision): Outcome | Generator<undefined, Outcome> {
    switch (decision.kind) {
      case "place":
        return this.place(decision);
      case "recognize":
        return this.recognize(decision);
      case "find":
        return this.find(decision);
      case "copy":
        return this.copy(decision);
      case "link":
        this.staging.opened().entries.stageLink(decision.place, decision.entry);
        return "done";
      case "adjust":
        this.addStep(StepKind.adjust, EntryType.directory, decision.path, decision.set);
        return "done";
      case "restore":
        this.restore(decision);
        return "done";
      case "remove":
        this.addStep(StepKind.remove, EntryType.file, decision.path);
        return "done";
      case "refuse":
        throw new StageError(decision.reason);
      case "goes":
        this.staging.opened().journal.addGoing(decision.path);
        return "done";
      case "skip":
        return "done";
    }
  }

  private place({ place, entry, lookAlikes }: Extract<Decision, { kind: "place" }>): Outcome {
    return this.staging.opened().entries.stage(place, entry, lookAlikes) ? "done" : "left out";
  }

  /** A file that is not expected needs nothing. */
  private *recognize({
    number,
    digest,
  }: Extract<Decision, { kind: "recognize" }>): Generator<undefined, Outcome> {
    const { staged } = this.staging;
    if (staged === undefined) return "done";
    return (yield* staged.entries.recognize(number, digest)) ? "done" : "needs contents";
  }

  private *find({ chunks, tags, need }: Extract<Decision, { kind: "find" }>): Generator<undefined, Outcome> {
    const { staged } = this.staging;
    if (staged !== undefined) yield* staged.entries.find(chunks, tags, need);
    return "done";
  }

  private *copy({ place, entry }: Extract<Decision, { kind: "copy" }>): Generator<undefined, Outcome> {
    return (yield* this.staging.opened().entries.copy(place, entry)) ? "done" : "needs contents";
  }

  private restore({ path, mode, mtimeNs }: Extract<Decision, { kind: "restore" }>): void {
    const metadata = { ...NO_METADATA, mode, mtimeNs };
    this.addStep(StepKind.restore, EntryType.directory, path, { metadata });
  }

  private addStep(...step: Parameters<ReturnType<Staging["opened"]>["journal"]["add"]>): void {
    this.staging.opened().journal.add(...step);
  }
}
