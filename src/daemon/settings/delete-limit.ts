/** The limit of what a transfer may delete on a host, as people write it. */
import { UserError } from "../../base/user-error.ts";
import { DEFAULT_DELETE_LIMIT, type DeleteLimit } from "../../tree/decide/superfluous.ts";

/** The default limit as it is given. */
export const DEFAULT_DELETE_LIMIT_TEXT = `${DEFAULT_DELETE_LIMIT.percent}%`;

/** @throws UserError for a text that is neither a number of entries nor a share of them */
export function parseDeleteLimit(text: string): DeleteLimit {
  const [, number = "", sign] = /^(\d{1,9})(%?)$/.exec(text) ?? [];
  if (sign === "" && number !== "") return { entries: Number(number), percent: undefined };
  if (sign === "%" && Number(number) <= 100)
    return { entries: DEFAULT_DELETE_LIMIT.entries, percent: Number(number) };
  throw new UserError(
    `delete-limit is '${text}': give a number of entries, such as 1000, or a share of them, such as 50%`,
  );
}

/** A limit as `msync --status` shows it. */
export function deleteLimitText({ entries, percent }: DeleteLimit): string {
  return percent === undefined ? `${entries} entries` : `${percent} %, and ${entries} entries in any case`;
}
