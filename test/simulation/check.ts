/** Something that must never happen has happened. */
export class OracleError extends Error {
  override name = "OracleError";
}

export function check(condition: unknown, message: string): asserts condition {
  if (!condition) throw new OracleError(message);
}
