import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { startInBackground } from "../../src/daemon/service/background.ts";

test("a process that cannot be started in the background is an error with a sentence", async () => {
  await assert.rejects(
    startInBackground([], "/nowhere/makuosan"),
    (error) =>
      error instanceof UserError &&
      error.message === "makuosan cannot continue in the background (ENOENT): start it with -n",
  );
});
