/** The bound of what is kept for `msync --undo`, as people write it. */
import { UserError } from "../../base/user-error.ts";

const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  K: 1_024,
  M: 1_024 ** 2,
  G: 1_024 ** 3,
  T: 1_024 ** 4,
};

/**
 * The default: some deployments of a web site or of configuration, and little beside a disk of today. Administrators with larger
 * pushes know how much space there is for them.
 */
export const DEFAULT_UNDO_SIZE_TEXT = "1G";

/**
 * @returns bytes
 * @throws UserError for anything else than a number with a unit or without
 */
export function parseUndoSize(text: string): number {
  const [, number = "", unit = ""] = /^(\d{1,16})([KMGT]?)$/.exec(text) ?? [];
  const bytes = number === "" ? 0 : Number(number) * (UNIT_BYTES[unit] ?? 0);
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new UserError(
    `undo-size is '${text}': give a number of bytes, or one with K, M, G or T, such as 500M`,
  );
}
