/** Words to single members that are said again until they are answered. */

/** How often something is said, and when. */
export interface Rhythm {
  readonly tries: number;
  /** After so long it is said again. */
  readonly againMs: number;
  /** Each further time takes so many times as long. */
  readonly growth: number;
}

interface Word {
  triesLeft: number;
  waitMs: number;
  atMs: number;
}

export class RepeatedWords {
  private readonly rhythm: Rhythm;
  private readonly say: (epoch: string) => void;
  private readonly words = new Map<string, Word>();

  constructor(rhythm: Rhythm, say: (epoch: string) => void) {
    this.rhythm = rhythm;
    this.say = say;
  }

  /** When the next word is due. */
  get atMs(): number {
    let earliest = Infinity;
    for (const { atMs } of this.words.values()) earliest = Math.min(earliest, atMs);
    return earliest;
  }

  /** A member is to be told, the first time at that moment. */
  begin(epoch: string, atMs: number): void {
    const { tries, againMs } = this.rhythm;
    this.words.set(epoch, { triesLeft: tries, waitMs: againMs, atMs });
  }

  /** The member has answered, or has left. */
  end(epoch: string): void {
    this.words.delete(epoch);
  }

  /** The member has said something that may be the answer. After the first word, it may have been under way before. */
  heard(epoch: string): void {
    const word = this.words.get(epoch);
    if (word === undefined) return;
    if (word.triesLeft < this.rhythm.tries - 1) this.end(epoch);
  }

  tick(nowMs: number): void {
    for (const [epoch, word] of this.words) {
      if (word.atMs > nowMs) continue;
      this.say(epoch);
      word.atMs = nowMs + word.waitMs;
      word.waitMs *= this.rhythm.growth;
      if (--word.triesLeft === 0) this.words.delete(epoch);
    }
  }
}
