/** Ctrl-C in the middle of a measurement: everything is taken away first, then the program ends. */

const cleanUps: Set<() => Promise<void>> = new Set();
let isEnding = false;

/**
 * Adds what is to be done if the program is told to end.
 *
 * @returns takes it off again
 */
export function onInterruption(cleanUp: () => Promise<void>): () => void {
  cleanUps.add(cleanUp);
  return () => cleanUps.delete(cleanUp);
}

/** Does some work; cleans up after it, also when it fails or the program is told to end meanwhile. */
export async function whileInterruptible<T>(
  cleanUp: () => Promise<void>,
  work: () => Promise<T>,
): Promise<T> {
  const takeOff: () => void = onInterruption(cleanUp);
  try {
    return await work();
  } finally {
    // After a signal the handler does it.
    if (isEnding) await new Promise(() => undefined);
    takeOff();
    await cleanUp();
  }
}

/** From now on SIGINT, SIGTERM and SIGHUP end the program in an orderly way. */
export function watchSignals(): void {
  for (const [signal, number] of [
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const) {
    process.on(signal, () => void end(128 + number));
  }
}

async function end(status: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  await Promise.allSettled([...cleanUps].map((cleanUp) => cleanUp()));
  process.exit(status);
}
