/** The source of random numbers for engines. It is injected, so that one seed repeats a whole run. */
export interface Random {
  /** A whole number from 0 to 2^32 - 1. */
  u32(): number;
}

/** A number from 0 up to, but not including, 1. */
export function fraction(random: Random): number {
  return random.u32() / 0x1_0000_0000;
}

/** A whole number from 0 up to, but not including, the bound. */
export function below(random: Random, bound: number): number {
  return Math.floor(fraction(random) * bound);
}

/** Makes random bytes. */
export function randomBytes(random: Random, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let index = 0; index < count; index++) bytes[index] = random.u32() & 0xff;
  return bytes;
}

/** A small, fast, well-mixed generator (sfc32) for simulations and delays; not for keys. */
export class SeededRandom implements Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number) {
    this.a = seed >>> 0;
    this.b = Math.floor(seed / 0x1_0000_0000) >>> 0;
    this.c = 0x9e3779b9;
    for (let round = 0; round < 15; round++) this.u32();
  }

  u32(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
