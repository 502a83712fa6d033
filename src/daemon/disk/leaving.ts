/** Lets a transfer that brings earlier publications leave alone what later ones have brought since. */
import { reason } from "../../base/reason.ts";
import type { Stage } from "../../tree/apply/stage.ts";
import { type ListRow, readList } from "../../tree/entries/published-list.ts";
import { errorCode } from "../../sys/system-error.ts";
import { StageError } from "../../tree/reasons/stage-error.ts";
import { readListFile } from "./list-files.ts";
import type { TransferRecord } from "./transfer-record.ts";

/** The part of an open transfer that has to leave something alone. */
interface Open {
  readonly stage: Pick<Stage, "leaveTo"> | undefined;
  readonly record: Pick<TransferRecord, "leaveTo"> | undefined;
}

/**
 * Called before the commit.
 *
 * @param lists the beginning of the path of each list
 * @param names of the lists of the later publications
 */
export function leaveToLater({ stage, record }: Open, lists = "", names: readonly string[] = []): void {
  if (names.length === 0) return;
  stage?.leaveTo(() => {
    const later = names.map((name) => rowsOf(lists + name));
    record?.leaveTo(later);
    return later;
  });
}

/** @throws StageError if a list cannot be read: then nobody knows what to leave alone, and the transfer comes once more */
function rowsOf(file: string): readonly ListRow[] {
  const rows = readList(contentsOf(file));
  if (rows === undefined) throw new StageError(reason("newer-push"));
  return rows;
}

function contentsOf(file: string): Buffer {
  try {
    return readListFile(file);
  } catch (error) {
    errorCode(error);
    return Buffer.alloc(0);
  }
}
