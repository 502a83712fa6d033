/** The findings of a member, within bounds. */
import { sentence } from "../../base/reason.ts";
import { type Finding, findingBytes, FindingKind, makeFinding } from "../../wire/findings.ts";
import { FINDING_BYTES } from "../../wire/limits.ts";

/** A member's findings for the sender of one transfer. Memory is bounded: findings beyond that are only counted. */
export class FindingList {
  private readonly findings: Finding[] = [];
  private bytes = 0;
  private omittedDeletes = 0;
  private omittedNotes = 0;

  add(kind: FindingKind, path: string, text = ""): void {
    const finding = makeFinding(kind, path, text);
    if (this.bytes > FINDING_BYTES) {
      if (kind === FindingKind.superfluous) this.omittedDeletes++;
      else this.omittedNotes++;
      return;
    }
    this.bytes += findingBytes(finding);
    this.findings.push(finding);
  }

  get count(): number {
    return this.findings.length + (this.hasOmitted ? 1 : 0);
  }

  /** Up to `most` findings, from a number on. */
  from(first: number, most: number): Finding[] {
    const found = this.findings.slice(first, first + most);
    const isLast = first + found.length === this.findings.length;
    if (isLast && this.hasOmitted && found.length < most) {
      const text = sentence("unlisted", this.omittedDeletes, this.omittedNotes);
      found.push(makeFinding(FindingKind.note, "", text));
    }
    return found;
  }

  private get hasOmitted(): boolean {
    return this.omittedDeletes + this.omittedNotes > 0;
  }
}
