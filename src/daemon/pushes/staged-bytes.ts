/** How many bytes of contents the blocks of a transfer hold, up to each of them. */

/** What all blocks up to one hold. */
interface Mark {
  /** The first block that is not among them. */
  readonly end: number;
  readonly bytes: number;
}

/**
 * Knows the bytes of contents in the blocks below a number. Blocks of a manifest have none, and the last data block is seldom
 * full, so a number of blocks alone does not tell. It remembers the blocks that some member has not staged yet: a window.
 */
export class StagedBytes {
  private marks: Mark[] = [];
  private before: Mark = { end: 0, bytes: 0 };

  /** Blocks up to `end` have been made, and all blocks up to there hold so many bytes. */
  note(end: number, bytes: number): void {
    this.marks.push({ end, bytes });
  }

  /** The bytes in all blocks below a number, which never gets lower. */
  below(block: number): number {
    const next = this.marks.findIndex(({ end }) => end > block);
    const passed = next < 0 ? this.marks.length : next;
    if (passed > 0) this.before = this.marks[passed - 1] ?? this.before;
    this.marks = this.marks.slice(passed);
    const [after] = this.marks;
    if (after === undefined) return this.before.bytes;
    // Within blocks that were made together, each one counts the same.
    const share = (block - this.before.end) / (after.end - this.before.end);
    return Math.round(this.before.bytes + share * (after.bytes - this.before.bytes));
  }
}
