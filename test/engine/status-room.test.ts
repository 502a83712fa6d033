import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { FindingsAnswers } from "../../src/engine/receiver/findings-answers.ts";
import { buildStatus, emptyStatus, type StatusHead } from "../../src/engine/receiver/status.ts";
import type { Effect, Member } from "../../src/engine/types.ts";
import { CONTROL_PLAINTEXT_BYTES } from "../../src/wire/datagram.ts";
import { FindingKind, makeFinding } from "../../src/wire/findings.ts";
import { encodeMessage } from "../../src/wire/message.ts";
import { MemberPhase, wantBytes } from "../../src/wire/status-message.ts";

/** What a member tells is cut so that each message is as full as can be, and no fuller than a datagram. */

const KEY = { epoch: "a".repeat(16), transfer: 7, admission: 1 };

const head = (reason: string): StatusHead => {
  const status = emptyStatus(KEY, { phase: MemberPhase.receiving, reason, admission: 1 });
  return { ...status, stamp: 5 };
};

/** Wants of one entry each, which have to be written as bitmaps. */
function wants(count: number, size: number) {
  return Array.from({ length: count }, (_, block) => {
    const entries = new Bitmap(size);
    entries.set(0);
    return { block, entries, differences: undefined };
  });
}

test("a STATUS holds as many wants as there is room for beside the rest", () => {
  for (const reason of ["", "x".repeat(100)]) {
    for (const runs of [0, 3]) {
      for (const fragments of [0, 40]) {
        const missing = {
          runs: Array.from({ length: runs }, (_, block) => ({ firstBlock: 2 * block, blocks: 1 })),
          fragments: Array.from({ length: fragments }, (_, block) => ({ block, maskLow: 1, maskHigh: 0 })),
        };
        const due = wants(60, 200);
        const { status, wants: placed } = buildStatus(head(reason), missing, due);
        assert.deepEqual(status.wants, placed);
        assert.deepEqual(placed, due.slice(0, placed.length));
        const bytes = encodeMessage({ type: "status", body: status }).length;
        assert.ok(bytes <= CONTROL_PLAINTEXT_BYTES, `${bytes}`);
        assert.ok(bytes + wantBytes(due[0]!) > CONTROL_PLAINTEXT_BYTES, `${bytes}, and one more would do`);
      }
    }
  }
});

test("a STATUS may be full to the last byte", () => {
  // Two wants and a reason that leaves no byte over.
  const due = wants(2, 800);
  const fixed = encodeMessage({
    type: "status",
    body: emptyStatus(KEY, { phase: 1, reason: "", admission: 1 }),
  }).length;
  const rest = CONTROL_PLAINTEXT_BYTES - fixed - due.reduce((sum, want) => sum + wantBytes(want), 0);
  const missing = { runs: [], fragments: [] };
  const room = (reasonBytes: number) => buildStatus(head("x".repeat(reasonBytes)), missing, due).wants.length;
  assert.equal(room(rest), 2);
  assert.equal(room(rest + 1), 1);
});

test("a STATUS holds 64 wants at most", () => {
  const { status } = buildStatus(head(""), { runs: [], fragments: [] }, wants(70, 1));
  assert.equal(status.wants.length, 64);
});

test("a STATUS of a transfer that is not going on has zeros in all fields but phase and reason", () => {
  const lists = { missingRuns: [], missingFragments: [], wants: [] };
  const zeros = { stamp: 0, stagedBelow: 0, windowEnd: 0, inFlight: 0, received: 0 };
  assert.deepEqual(emptyStatus(KEY, { phase: MemberPhase.done, reason: "why" }), {
    ...{ sender: KEY.epoch, transfer: 7, phase: MemberPhase.done, reason: "why" },
    ...{ findings: 0, worked: 0, order: 0, admission: 0, ahead: 0 },
    ...zeros,
    ...lists,
  });
});

const MEMBER: Member = {
  nodeId: "c".repeat(32),
  epoch: KEY.epoch,
  address: { ip: "10.0.0.1", port: 5000 },
  info: { hostName: "host", version: "1", protocol: 3, receives: true, sends: true, labels: [] },
  joinedMs: 0,
};

function answers(first: number, lengths: readonly number[]) {
  const effects: Effect[] = [];
  const findings = lengths.map((length, index) =>
    makeFinding(FindingKind.superfluous, String(index).padStart(length, "0")),
  );
  new FindingsAnswers(KEY, MEMBER, effects).give(first, findings);
  return effects.map((effect) => {
    assert.ok(effect.kind === "send" && effect.message.type === "findings");
    assert.deepEqual(effect.destination, { to: "address", address: MEMBER.address });
    const { body } = effect.message;
    assert.deepEqual([body.sender, body.transfer], [KEY.epoch, KEY.transfer]);
    return { ...body, bytes: encodeMessage(effect.message).length };
  });
}

test("findings are sent a hundred in a message and eight messages at a time", () => {
  const messages = answers(
    30,
    Array.from({ length: 850 }, () => 4),
  );
  assert.deepEqual(
    messages.map(({ first, findings, hasMore }) => [first, findings.length, hasMore]),
    Array.from({ length: 8 }, (_, index) => [30 + index * 100, 100, index < 7]),
  );
  assert.deepEqual(answers(5, []), []);
  assert.deepEqual(
    answers(5, [3]).map(({ first, hasMore }) => [first, hasMore]),
    [[5, false]],
  );
});

test("findings fill a message to the last byte", () => {
  const [alone] = answers(0, [600]);
  // Five bytes of each finding are not its path.
  const room = CONTROL_PLAINTEXT_BYTES - (alone?.bytes ?? 0) - 5;
  assert.deepEqual(
    answers(0, [600, room]).map(({ findings, bytes }) => [findings.length, bytes]),
    [[2, CONTROL_PLAINTEXT_BYTES]],
  );
  assert.deepEqual(
    answers(0, [600, room + 1]).map(({ findings }) => findings.length),
    [1, 1],
  );
  const many = answers(
    0,
    Array.from({ length: 40 }, (_, index) => 300 + index),
  );
  for (const { bytes } of many) assert.ok(bytes <= CONTROL_PLAINTEXT_BYTES && bytes > 900, `${bytes}`);
  const inOrder = many.flatMap(({ findings }) => findings.map(({ path }) => Number(path)));
  assert.deepEqual(
    inOrder,
    Array.from({ length: inOrder.length }, (_, index) => index),
  );
});
