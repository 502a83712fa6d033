/**
 * The third kind of error: a broken invariant. It is never caught: it ends the process, and the service manager starts
 * it again. An error that an operator can fix is a UserError. Packets of strangers are counted and dropped.
 */
export class InvariantError extends Error {
  override name = "InvariantError";
}

/**
 * Ends the process by an uncaught exception when the program contradicts itself.
 *
 * @param condition what must hold
 * @param message what was expected, for the log
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
