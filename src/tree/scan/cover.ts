/** What a transfer that this node sends has said about its tree so far. */
import { EntryType } from "../../wire/entry.ts";
import { directoryOf } from "../../wire/path-rules.ts";
import { PathSet } from "../entries/path-set.ts";

/** A change of the tree. */
export interface Change {
  readonly path: string;
  /** Whether something comes there; otherwise something goes. */
  readonly isPlaced: boolean;
}

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
    this.above.addWay(directory);
  }

  noteComplete(directory: string): void {
    this.complete.add(directory);
  }

  /**
   * The first of some changes that would change something of this transfer.
   *
   * @returns its path; undefined if there is none
   */
  conflictWith(changes: Iterable<Change>): string | undefined {
    for (const change of changes) if (this.isTouchedBy(change)) return change.path;
    return undefined;
  }

  private isTouchedBy({ path, isPlaced }: Change): boolean {
    if (this.sent.has(path) || this.above.has(path)) return true;
    // It would be superfluous for this transfer, which deletes it on the other members.
    return isPlaced && this.complete.has(directoryOf(path)) && !this.kept.has(path);
  }
}
