import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { run } from "../support/processes.ts";

/** A few moments of what `make power-loss` tries at length. */

const MOMENTS = "5";

for (const name of ["ext4", "xfs", "btrfs"])
  test(`loss of power on ${name}: the tree is wholly old or wholly new`, async (context) => {
    if (process.getuid?.() !== 0) {
      context.skip("only root can mount");
      return;
    }
    const script = path.join(import.meta.dirname, "power-loss.ts");
    const inOwnNamespace = ["--mount", "--propagation", "private", process.execPath, script];
    const env = { FILE_SYSTEM: name, MOMENTS };
    const { status, stdout, stderr } = await run("unshare", inOwnNamespace, { env });
    const skipped = /skipped: (.*)/.exec(stdout)?.[1];
    if (skipped !== undefined) {
      context.skip(skipped);
      return;
    }
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`^${name}: ${MOMENTS} moments: .* 0 bad$`, "m"));
  });
