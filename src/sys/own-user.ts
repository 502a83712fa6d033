/** The user that this process runs as. */
import os from "node:os";

/** The name of the user; undefined if the list of users has no line for it. */
export function ownUserName(): string | undefined {
  try {
    return os.userInfo().username;
  } catch {
    return undefined;
  }
}
