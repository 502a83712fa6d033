/** Counts what a transfer changes at a member, and reports to the sender what it has to know. */
import { type Reason, sentenceOf } from "../../base/reason.ts";
import { EntryType } from "../../wire/entry.ts";
import { FindingKind } from "../../wire/findings.ts";
import type { Decision, Outcome } from "../decide/decision.ts";
import { FindingList } from "./findings.ts";

/** How much of a transfer the member wants. */
export interface StageTotals {
  readonly entries: number;
  readonly bytes: number;
}

export class Tally {
  readonly findings = new FindingList();
  private entries = 0;
  private bytes = 0;
  private made = 0;

  get totals(): StageTotals {
    return { entries: this.entries, bytes: this.bytes };
  }

  /** How many of the entries get an inode of their own; a further name of a file needs no inode. */
  get inodes(): number {
    return this.made;
  }

  /** Records why an entry is not made, or not with everything. */
  noteReason(path: string, why: Reason): void {
    this.findings.add(FindingKind.note, path, sentenceOf(why));
  }

  /**
   * Records a decision and its result.
   *
   * @returns the paths that the decision changes
   */
  *note(decision: Decision, outcome: Outcome): Generator<string> {
    switch (decision.kind) {
      case "place":
      case "copy":
      case "link":
        if (outcome !== "done") return;
        this.entries++;
        if (decision.kind !== "link") this.made++;
        if (decision.kind === "place" && decision.entry.type === EntryType.file)
          this.bytes += decision.entry.extras?.allocated ?? decision.entry.size;
        yield decision.place.path;
        break;
      case "adjust":
        if (!decision.isEntry) return;
        this.entries++;
        yield decision.path;
        break;
      case "remove":
      case "goes":
        this.entries++;
        yield this.deleted(decision.path);
        break;
      case "restore":
      case "recognize":
      case "find":
        break;
      case "skip":
        this.noteReason(decision.path, decision.reason);
        break;
      case "refuse":
        this.noteReason(decision.reason.path ?? "", { ...decision.reason, path: undefined });
        break;
    }
  }

  /** Records a path that is going to be as it was before, or is gone then. */
  noteUndone(path: string, type: EntryType, size: number): void {
    this.entries++;
    this.bytes += size;
    if (type === EntryType.gone) this.deleted(path);
    else this.made++;
  }

  private deleted(path: string): string {
    this.findings.add(FindingKind.superfluous, path);
    return path;
  }
}
