import { below, type Random } from "../../src/base/random.ts";

/** Decides what survives a crash. */
export interface Chance {
  /** A whole number from 0 up to, but not including, the bound. */
  pick(bound: number): number;
  /** Whether one operation survives. */
  survives(): boolean;
}

/** One in how many operations is lost: about every second one, or few among many, so that long chains survive, too. */
const LOST_ONE_IN = [2, 8, 64, 1024] as const;

export class RandomChance implements Chance {
  private readonly random: Random;
  private readonly lostOneIn: number;

  constructor(random: Random) {
    this.random = random;
    this.lostOneIn = LOST_ONE_IN[below(random, LOST_ONE_IN.length)] ?? 2;
  }

  pick(bound: number): number {
    return below(this.random, bound);
  }

  survives(): boolean {
    return below(this.random, this.lostOneIn) !== 0;
  }
}

/** All possible decisions, one after another: each run decides differently at the last place at which it can. */
export function* everyChance<T>(run: (chance: Chance) => T): Generator<T> {
  const made: { picked: number; readonly bound: number }[] = [];
  do {
    let place = 0;
    const pick = (bound: number) => {
      if (place === made.length) made.push({ picked: 0, bound });
      return made[place++]?.picked ?? 0;
    };
    yield run({ pick, survives: () => pick(2) === 1 });
  } while (goOn(made));
}

function goOn(made: { picked: number; readonly bound: number }[]): boolean {
  for (let last = made.at(-1); last !== undefined; last = made.at(-1)) {
    if (++last.picked < last.bound) return true;
    made.pop();
  }
  return false;
}
