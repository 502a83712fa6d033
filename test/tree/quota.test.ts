import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { stageFailure } from "../../src/tree/apply/stage.ts";
import { mountFileSystem, run } from "../support/file-systems.ts";
import { StagingPair } from "../support/staging.ts";

/** A quota that is used up, on a real file system that has one. */

const skip = process.getuid?.() === 0 ? undefined : "file systems can be mounted by root only";

test("a quota that is used up is named", { skip }, (context) => {
  const mounted = mountFileSystem("btrfs");
  if ("skip" in mounted) {
    context.skip(mounted.skip);
    return;
  }
  const base = path.join(mounted.root, "base");
  const commands = [
    ["quota", "enable", mounted.root],
    ["subvolume", "create", base],
    ["qgroup", "limit", "8M", base],
  ];
  const problem = commands.map((args) => run("btrfs", ...args)).find((one) => one !== undefined);
  const pair = new StagingPair(undefined, base);
  context.after(() => {
    pair.destroy();
    mounted.close();
  });
  if (problem !== undefined) {
    context.skip(problem);
    return;
  }
  fs.writeFileSync(path.join(pair.from, "large"), Buffer.alloc(20 * 1024 * 1024, "x"));
  assert.throws(
    () => pair.stage(),
    (error) => stageFailure(error).code === "EDQUOT",
  );
});
