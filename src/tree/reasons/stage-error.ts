/** A transfer cannot go on at this member; the message is the reason that its sender will show. */
export class StageError extends Error {
  override name = "StageError";
}

/** It could, and must not: neither here nor at any other member. */
export class RefusalError extends StageError {
  override name = "RefusalError";
}
