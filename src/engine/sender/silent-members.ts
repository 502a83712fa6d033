/** Members that did not answer an earlier transfer and have not been heard since. */

/**
 * Members of which a transfer has heard nothing in time, until they are heard again (PROTOCOL.md 5.7). The next
 * transfers wait for them only shortly: a host that is down stays a member for a minute, and a script that pushes
 * twenty times would wait for it twenty times.
 */
export class SilentMembers {
  private readonly epochs = new Set<string>();

  has(epoch: string): boolean {
    return this.epochs.has(epoch);
  }

  /** A transfer has gone on without this member, because it was silent. */
  add(epoch: string): void {
    this.epochs.add(epoch);
  }

  /** The member has been heard, or is none any more. */
  forget(epoch: string): void {
    this.epochs.delete(epoch);
  }
}
