import fs from "node:fs";
import path from "node:path";
import { hexOf } from "../../src/base/hex.ts";
import { below, SeededRandom } from "../../src/base/random.ts";
import { joined, mutate } from "../wire/mutate.ts";
import { pick } from "../wire/random-values.ts";
import type { Target } from "./targets.ts";

/** Feeds a decoder with inputs of the corpus, and with mutants of them and of mutants that it has accepted. */

/** How many accepted mutants are mutated again: enough to get far from the corpus. */
const POOL = 500;

/** Inputs grow by being joined; a datagram and a block of the wire are no longer. */
const LONGEST_BYTES = 65_536;

/**
 * No input may take so long, or so much memory more than before. Both are far above anything that a decoder needs on a busy
 * machine, and far below an endless loop or a length that is believed.
 */
const LONGEST_MS = 5_000;
const MOST_BYTES = 512 * 1024 * 1024;
const LOOKED_EVERY = 2_000;

export interface FuzzCounts {
  readonly cases: number;
  readonly accepted: number;
}

/** An input that a decoder does not stand. */
export class FuzzError extends Error {
  override name = "FuzzError";
}

/** The inputs of a decoder's folder. */
export function corpusOf(name: string): Uint8Array[] {
  const folder = path.join(import.meta.dirname, "corpus", name);
  return fs
    .readdirSync(folder)
    .sort()
    .map((file) => new Uint8Array(fs.readFileSync(path.join(folder, file))));
}

/**
 * Runs cases: first the corpus as it is, then mutants.
 *
 * @throws FuzzError with the seed and the input for the first case that throws anything but a declared error, that is not
 *   the same when it is written and read again, or that takes too long or too much memory
 */
export function fuzz(target: Target, seed: number, cases: number): FuzzCounts {
  const { stackTraceLimit } = Error;
  // Most inputs are refused, and a trace for each takes longer than reading it.
  Error.stackTraceLimit = 0;
  try {
    return run(target, seed, cases);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function run(target: Target, seed: number, cases: number): FuzzCounts {
  const random = new SeededRandom(seed);
  const corpus = corpusOf(target.name);
  const pool = [...corpus];
  const usedBefore = usedBytes();
  let accepted = 0;
  for (let number = 0; number < cases; number++) {
    const input = corpus[number] ?? nextInput(random, pool);
    const beganMs = performance.now();
    const isAccepted = runOne(target, seed, input);
    if (performance.now() - beganMs > LONGEST_MS) throw failure(target, seed, input, "it took too long");
    if (number % LOOKED_EVERY === 0 && usedBytes() - usedBefore > MOST_BYTES)
      throw failure(target, seed, input, "it took too much memory");
    if (!isAccepted) continue;
    accepted++;
    if (number >= corpus.length) keep(random, pool, corpus.length, input);
  }
  return { cases, accepted };
}

function nextInput(random: SeededRandom, pool: readonly Uint8Array[]): Uint8Array {
  const sample = pick(random, pool);
  if (below(random, 8) > 0) return mutate(random, sample);
  const other = pick(random, pool);
  const halves = joined(
    sample.slice(0, below(random, sample.length + 1)),
    other.slice(below(random, other.length + 1)),
  );
  return halves.slice(0, LONGEST_BYTES);
}

/** A new one takes the place of any but those of the corpus. */
function keep(random: SeededRandom, pool: Uint8Array[], fixed: number, input: Uint8Array): void {
  if (pool.length < fixed + POOL) pool.push(input);
  else pool[fixed + below(random, POOL)] = input;
}

/** @returns whether the input was accepted */
function runOne(target: Target, seed: number, input: Uint8Array): boolean {
  let decoded: unknown;
  try {
    decoded = target.decode(input);
  } catch (error) {
    if (target.errors.some((one) => error instanceof one)) return false;
    throw failure(target, seed, input, "it throws another error", error);
  }
  try {
    target.check(decoded as never, input);
  } catch (error) {
    throw failure(target, seed, input, "it is not the same when it is read again", error);
  }
  return true;
}

function usedBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function failure(target: Target, seed: number, input: Uint8Array, what: string, cause?: unknown): FuzzError {
  return new FuzzError(`SEED=${seed} TARGET=${target.name}: ${what}: ${hexOf(input)}`, { cause });
}
