/**
 * The third kind of error: a broken invariant. It is never caught; it ends the process, and the service
 * manager starts it again. What an operator can mend is a UserError; what a stranger sent is counted and dropped.
 */
export class InvariantError extends Error {
  override name = "InvariantError";
}

/**
 * Ends the process, by way of an uncaught exception, when the program contradicts itself.
 *
 * @param condition what must hold
 * @param message what was expected, for the log
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
