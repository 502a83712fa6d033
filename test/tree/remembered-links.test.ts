import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { sentenceOf } from "../../src/base/reason.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { Owners } from "../../src/tree/entries/owners.ts";
import { Lookout, type LookRules } from "../../src/tree/scan/look.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { NO_METADATA } from "../../src/wire/metadata.ts";

/** Files with several names: some are remembered, and it is told if there are more. */

test("links beyond those that are remembered are told, once", (context) => {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-links-"));
  context.after(() => fs.rmSync(base, { recursive: true }));
  for (const name of ["a", "c", "e"]) {
    fs.writeFileSync(path.join(base, name), name);
    fs.linkSync(path.join(base, name), path.join(base, `${name}2`));
  }
  const rules: LookRules = {
    ...{ ownedBy: undefined, group: undefined, groupOwner: undefined, sendsAttributes: false },
    isExcluded: () => false,
    dryRun: false,
  };
  const root = Directories.at(linuxDisk, base);
  context.after(() => root.close());
  const lookout = new Lookout(root, new Owners(), rules, 1);
  const header = { path: "", metadata: NO_METADATA };
  const types: number[] = [];
  const told: string[] = [];
  for (const name of ["a", "a2", "c", "c2", "e", "e2"]) {
    const look = lookout.at(header, name);
    assert.equal(look?.kind, "entry");
    if (look?.kind === "entry") types.push(look.entry.type);
    const problem = lookout.takeProblem();
    if (problem !== undefined) told.push(`${problem.path}: ${sentenceOf(problem.reason)}`);
  }
  const { file, hardLink } = EntryType;
  assert.deepEqual(types, [file, hardLink, file, file, file, file]);
  assert.equal(told.length, 1);
  assert.match(
    told[0] ?? "",
    /^c: more than 1 files have several names: this one and those after it become a file/,
  );
});
