/** Work of the writing thread that may take long, and that no transfer is to wait for. */

/**
 * A turn takes so long. Commands of other transfers wait for its end. Most of them are about blocks: a fast network brings
 * one each half millisecond, and there are pages for hundreds of them. Each turn costs some 0.05 ms more.
 */
const TURN_MS = 5;

/** While something long goes on, its sender hears of it so often. */
export const SIGN_MS = 500;

/** One piece of work, and how to tell that it goes on. */
interface Work {
  readonly steps: Generator<undefined>;
  readonly sign: () => void;
  signedMs: number;
}

/**
 * Does work step by step, in short turns. Between two turns the thread takes commands. Works that go on at the same time take
 * turns in their order, so that a small one does not wait for a large one.
 */
export class LongWork {
  private readonly afterTurn: () => void;
  private readonly onIdle: () => void;
  private readonly onWait: () => void;
  private readonly nowMs: () => number;
  private readonly running = new Map<string, Work>();
  private isPlanned = false;

  /**
   * @param afterTurn called after each turn that no command has asked for
   * @param onIdle called when the last work has ended
   * @param onWait called after each turn for which all transfers wait
   * @param nowMs a clock in milliseconds
   */
  constructor(
    afterTurn: () => void,
    onIdle: () => void,
    onWait: () => void,
    nowMs: () => number = () => performance.now(),
  ) {
    this.afterTurn = afterTurn;
    this.onIdle = onIdle;
    this.onWait = onWait;
    this.nowMs = nowMs;
  }

  get isEmpty(): boolean {
    return this.running.size === 0;
  }

  /**
   * Begins some work with a turn at once: mostly it is done then.
   *
   * @param name of the transfer that it is about; no other work has this name
   * @param sign called every SIGN_MS while it goes on
   */
  start(name: string, steps: Generator<undefined>, sign: () => void): void {
    this.running.set(name, { steps, sign, signedMs: this.nowMs() });
    this.takeTurn(name);
    this.plan();
  }

  /** Finishes the work on a transfer at once, if there is any. */
  finish(name: string): void {
    while (this.running.has(name)) {
      this.takeTurn(name);
      this.onWait();
    }
  }

  /** Finishes all work at once. */
  finishAll(): void {
    for (const name of [...this.running.keys()]) this.finish(name);
  }

  private takeTurn(name: string): void {
    const work = this.running.get(name);
    if (work === undefined) return;
    const untilMs = this.nowMs() + TURN_MS;
    let nowMs: number;
    do {
      if (work.steps.next().done === true) {
        this.running.delete(name);
        if (this.isEmpty) this.onIdle();
        return;
      }
      nowMs = this.nowMs();
    } while (nowMs < untilMs);
    if (nowMs - work.signedMs < SIGN_MS) return;
    work.signedMs = nowMs;
    work.sign();
  }

  private plan(): void {
    if (this.isPlanned || this.isEmpty) return;
    this.isPlanned = true;
    setImmediate(() => {
      this.isPlanned = false;
      const [first] = this.running;
      if (first === undefined) return;
      const [name, work] = first;
      // The others come first at the next turn.
      this.running.delete(name);
      this.running.set(name, work);
      this.takeTurn(name);
      this.afterTurn();
      this.plan();
    });
  }
}

/** A function that may be called at each step, and passes on a call each SIGN_MS. */
export function seldom(sign: () => void): () => void {
  let signedMs = performance.now();
  return () => {
    const nowMs = performance.now();
    if (nowMs - signedMs < SIGN_MS) return;
    signedMs = nowMs;
    sign();
  };
}
