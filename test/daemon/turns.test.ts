import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitStatus, UserError } from "../../src/base/user-error.ts";
import { Turns } from "../../src/daemon/pushes/turns.ts";

test("a request that was taken back before it came asks for no turn", { timeout: 5_000 }, async () => {
  const turns = new Turns(1);
  await turns.take(new AbortController().signal);
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(
    turns.take(controller.signal),
    (error) => error instanceof UserError && error.exitStatus === ExitStatus.interrupted,
  );
  assert.equal(turns.waitingCount, 0);
  turns.give();
  await turns.take(new AbortController().signal);
});
