import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { checkProcessFiles } from "../../src/sys/process-files.ts";

test("without /proc, a sentence says how to mount it", () => {
  checkProcessFiles();
  assert.throws(
    () => checkProcessFiles("/nowhere/self/fd"),
    (error) =>
      error instanceof UserError && /run 'mount -t proc proc \/proc' in this root/.test(error.message),
  );
});
