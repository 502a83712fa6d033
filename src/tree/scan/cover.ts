/** What a transfer that this node sends has said about its tree so far. */
import { EntryType } from "../../wire/entry.ts";
import { directoryOf } from "../../wire/path-rules.ts";
import { type Step, StepKind } from "../decide/decision.ts";
import { PathSet } from "../entries/path-set.ts";

/**
 * The paths that a transfer has put into its manifest so far. A transfer of another node that is committed on this node
 * meanwhile, and stands before this one, must not change them: the other members get what this one has read, and this
 * node would keep what the other one has brought.
 */
export class Cover {
  private readonly sent = new PathSet();
  /** Entries that are not sent: members keep what they have there. */
  private readonly kept = new PathSet();
  /** Directories above entries that are sent. */
  private readonly above = new PathSet();
  /** Directories in which members delete all that is not named. */
  private readonly complete = new PathSet();
  private lastDirectory = "";

  /** Records that the manifest has an entry. */
  noteEntry(directory: string, name: string, type: EntryType): void {
    // A passage is only a way, and a member that has it leaves it as it is.
    if (type === EntryType.passage) return;
    if (type === EntryType.kept) {
      this.kept.addIn(directory, name);
      return;
    }
    this.sent.addIn(directory, name);
    if (directory === this.lastDirectory) return;
    this.lastDirectory = directory;
    for (let way = directory; way !== "" && !this.above.has(way); way = directoryOf(way)) this.above.add(way);
  }

  noteComplete(directory: string): void {
    this.complete.add(directory);
  }

  /**
   * The first of some steps that would change something of this transfer.
   *
   * @returns its path; undefined if there is none
   */
  conflictWith(steps: Iterable<Step>): string | undefined {
    for (const step of steps) if (this.isChangedBy(step)) return step.path;
    return undefined;
  }

  /** Attributes of directories are left out: transfers into one directory would mostly be in each other's way. */
  private isChangedBy({ kind, path }: Step): boolean {
    if (kind !== StepKind.place && kind !== StepKind.remove) return false;
    if (this.sent.has(path) || this.above.has(path)) return true;
    // It would be superfluous for this transfer, which deletes it on the other members.
    return kind === StepKind.place && this.complete.has(directoryOf(path)) && !this.kept.has(path);
  }
}
