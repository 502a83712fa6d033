/** Which mutant is on in this process, and which of them the running test comes by. */

/** A mutant keeps a test from coming to its end. */
export class HangError extends Error {
  override name = "HangError";
}

let active = -1;
let calls = 0;
let mostCalls = Infinity;
let hits: Uint8Array | undefined;

/** The switch in the changed sources: whether the mutant of this number is on. */
function isOn(mutant: number): boolean {
  if (hits !== undefined) hits[mutant] = 1;
  if (++calls > mostCalls) throw new HangError("a loop does not end");
  return mutant === active;
}

/** Gives the changed sources their switch. */
export function install(): void {
  (globalThis as unknown as Record<string, unknown>)["__mutant"] = isOn;
}

/** Turns one mutant on, or none with -1. */
export function turnOn(mutant: number): void {
  active = mutant;
}

/** From now on so many switches may be come by before a HangError. */
export function limitCalls(most: number): void {
  calls = 0;
  mostCalls = most;
}

export function countCalls(): number {
  return calls;
}

/** Whether the running test was ended by a HangError, even if something has caught that. */
export function hasHung(): boolean {
  return calls > mostCalls;
}

/** Notes which of so many mutants are come by, until takeHits() is called. */
export function recordHits(mutants: number): void {
  hits = new Uint8Array(mutants);
}

/** The numbers of the mutants that were come by. */
export function takeHits(): number[] {
  const found = [...(hits ?? []).entries()].filter(([, hit]) => hit === 1).map(([mutant]) => mutant);
  hits = undefined;
  return found;
}
