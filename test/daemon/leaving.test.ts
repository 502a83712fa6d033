import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { leaveToLater } from "../../src/daemon/disk/leaving.ts";
import { type ListRow, PublishedList } from "../../src/tree/entries/published-list.ts";
import { StageError } from "../../src/tree/reasons/stage-error.ts";
import { EntryType } from "../../src/wire/entry.ts";

/** The lists of later publications, before the commit of a transfer that brings earlier ones. */

test("a transfer leaves alone what the lists say; one that is gone or damaged ends it", (context) => {
  const lists = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-lists-")), "published-");
  context.after(() => fs.rmSync(path.dirname(lists), { recursive: true }));
  const list = new PublishedList();
  list.noteEntry("www", "a", EntryType.file);
  fs.writeFileSync(`${lists}one`, list.finish() ?? "");
  fs.writeFileSync(`${lists}damaged`, "makuosan");
  const recorded: number[] = [];
  const leave = (...names: string[]) => {
    let rows: readonly (readonly ListRow[])[] | undefined;
    const record = { leaveTo: (later: readonly unknown[]) => recorded.push(later.length) };
    leaveToLater({ stage: { leaveTo: (read) => (rows = read()) }, record }, lists, names);
    return rows?.map((one) => one.length);
  };
  assert.deepEqual([leave(), recorded], [undefined, []], "nothing is later");
  assert.deepEqual([leave("one"), recorded], [[2], [1]]);
  for (const name of ["damaged", "gone"])
    assert.throws(
      () => leave("one", name),
      (error) => error instanceof StageError && error.reason.code === "newer-push",
      name,
    );
});
