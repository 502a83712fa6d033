import assert from "node:assert/strict";
import { test } from "node:test";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { manifest, ScriptedSender, SMALL, TRANSFER } from "./scripted-sender.ts";

const STUCK = "the disk of the sending host has not answered for 300 seconds";

/** A sender whose source has never answered, with members that do. */
function hungSender(): ScriptedSender {
  const sender = new ScriptedSender(1, { blocks: [SMALL] });
  sender.isSourceHung = true;
  sender.start();
  return sender;
}

function aborted(sender: ScriptedSender): (string | undefined)[] {
  return sender.events.flatMap((event) => (event.kind === "transfer-finished" ? [event.result.aborted] : []));
}

test("a source that does not answer for 300 s ends the transfer, and the next one at once", () => {
  const sender = hungSender();
  sender.runWith(299_000, 500, () => ({ phase: MemberPhase.receiving }));
  assert.deepEqual(aborted(sender), []);
  const delays = sender.engine.outboundTransfer(TRANSFER)?.delays ?? [];
  assert.deepEqual(
    delays.map(({ epoch, doing }) => [epoch, doing]),
    [[undefined, "reading"]],
  );
  sender.runWith(2_000, 500, () => ({ phase: MemberPhase.receiving }));
  assert.deepEqual(aborted(sender), [STUCK]);
  sender.start({ transfer: 2 });
  assert.deepEqual(aborted(sender), [STUCK, STUCK]);
  // The disk is back.
  const nothing = { blocks: [], state: "more", failure: undefined, unreadable: 0 } as const;
  for (const transfer of [1, 2]) sender.handle({ kind: "produced", transfer, ...nothing });
  sender.start({ transfer: 3 });
  sender.run(10);
  assert.deepEqual(aborted(sender), [STUCK, STUCK]);
});

test("a source that answers with a failure owes nothing, however long ago that was", () => {
  const sender = hungSender();
  const failed = { blocks: [], state: "end", failure: "the base directory is empty", unreadable: 0 } as const;
  sender.handle({ kind: "produced", transfer: TRANSFER, ...failed });
  assert.deepEqual(aborted(sender), ["the base directory is empty"]);
  sender.run(301_000);
  sender.isSourceHung = false;
  sender.start({ transfer: 2 });
  assert.deepEqual(aborted(sender), ["the base directory is empty"]);
});

test("a member that owes something is named with what it is doing", () => {
  const sender = new ScriptedSender(2, { blocks: [manifest(3), SMALL], last: "idle" });
  sender.start();
  sender.run(3);
  const doing = () => sender.engine.outboundTransfer(TRANSFER)?.delays.map((one) => one.doing);
  assert.deepEqual(doing(), [], "nobody has answered the offer");
  for (const index of [0, 1]) sender.status(index);
  assert.deepEqual(doing(), ["comparing", "comparing"]);
});
