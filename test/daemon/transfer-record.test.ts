import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { REMOVED, TransferRecord } from "../../src/daemon/disk/transfer-record.ts";
import { keyOf, Listed, readList } from "../../src/tree/entries/published-list.ts";
import { EntryType } from "../../src/wire/entry.ts";
import type { Origin } from "../../src/wire/origin.ts";

/** What a host notes of a push that it takes back, so that it can bring that to others. */

test("the list of an undo has what came back and what is gone, and the names of that lie beside it", (context) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-record-"));
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  const list = path.join(directory, "list");
  const record = new TransferRecord({ isNewcomer: false, recordsLists: true });
  record.origin = { kind: "undo" } as unknown as Origin;
  record.noteUndone("d/back", EntryType.file);
  record.noteUndone("d/new", EntryType.gone);
  record.noteUndone("f", EntryType.symlink);
  record.noteUndone("d/again", EntryType.file);
  assert.equal(record.write(list), true);
  assert.equal(fs.readFileSync(list + REMOVED, "latin1"), "d/new\0");
  const rows = readList(fs.readFileSync(list)) ?? [];
  const kindOf = (one: string) => rows.filter(({ key }) => key === keyOf(one)).map(({ kind }) => kind);
  assert.deepEqual(["d/back", "d/new", "f", "d/again"].map(kindOf), [
    [Listed.given],
    [Listed.gone],
    [Listed.given],
    [Listed.given],
  ]);
  // A push leaves no such file.
  const push = new TransferRecord({ isNewcomer: false, recordsLists: true });
  push.origin = { kind: "publication" } as unknown as Origin;
  assert.equal(push.write(path.join(directory, "push")), true);
  assert.deepEqual(fs.readdirSync(directory).sort(), ["list", `list${REMOVED}`, "push"]);
});
