import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { finish } from "../../src/base/steps.ts";
import { ChangeList } from "../../src/tree/apply/change-list.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { StagingPair, whileVanishing } from "../support/staging.ts";

const listed = (file: string) => fs.readFileSync(file, "latin1").split("\0");

test("a long list is whole, and can be cut down", (context) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-changes-"));
  context.after(() => fs.rmSync(directory, { recursive: true }));
  const paths = Array.from({ length: 30_000 }, (_, index) => `dir\xff/${"x".repeat(index % 50)}\n${index}`);
  const root = linuxDisk.openRoot(directory);
  context.after(() => linuxDisk.closeDirectory(root));
  for (const isChanged of [undefined, (name: string) => name.endsWith("7")]) {
    const file = path.join(directory, String(isChanged === undefined));
    const list = new ChangeList(linuxDisk, () => root, path.basename(file));
    for (const name of paths) list.add(name);
    list.finish(isChanged);
    assert.deepEqual(listed(file), [...paths.filter(isChanged ?? (() => true)), ""]);
  }
});

test("what changes is listed, and what the sender has withdrawn is not", (context) => {
  const pair = new StagingPair();
  context.after(() => pair.destroy());
  fs.mkdirSync(path.join(pair.from, "d"));
  for (const name of ["d/a", "d/gone", "same", "other"]) fs.writeFileSync(path.join(pair.from, name), name);
  fs.symlinkSync("same", path.join(pair.from, "link"));
  pair.push(["same"]);
  pair.listsChanges = true;
  const stage = whileVanishing(path.join(pair.from, "d/gone"), () => pair.stage());
  stage.prepare();
  assert.equal(stage.isListed, true);
  const [area = ""] = pair.leftOver();
  assert.deepEqual(listed(path.join(pair.to, ".makuosan", area, "changes")).sort(), [
    "",
    "d",
    "d/a",
    "link",
    "other",
  ]);
  stage.commit();
  finish(stage.clean());
  const again = pair.stage(["same"]);
  again.prepare();
  assert.equal(again.isListed, false, "nothing has changed");
  finish(again.clean());
});
