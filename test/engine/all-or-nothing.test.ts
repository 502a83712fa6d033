import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { keyOf, ScriptedReceiver } from "./scripted-receiver.ts";

/** With all or nothing, a member knows before COMMIT whether a push of its own is in the way. */

/** A node that is ready for a transfer of all or nothing, and has heard ORDER. */
function ordered(): ScriptedReceiver {
  const node = new ScriptedReceiver();
  node.becomeReady(true);
  node.takeDisk();
  node.order(3);
  node.run(1);
  return node;
}

const phases = (node: ScriptedReceiver) => node.takeStatuses().map(({ phase }) => phase);

describe("a transfer of all or nothing", () => {
  test("gets its place when nothing of this node is in the way", () => {
    const node = ordered();
    assert.deepEqual(node.takeDisk(), [{ kind: "weigh", key: keyOf(), own: [] }]);
    node.takeStatuses();
    node.order(5);
    node.run(100);
    assert.ok(phases(node).every((phase) => phase === MemberPhase.ready));
    assert.deepEqual(node.takeDisk(), [], "one look is enough");
    node.handle({ kind: "weighed", key: keyOf(), failure: undefined });
    node.run(1);
    const { phase, order } = node.takeStatus();
    assert.deepEqual([phase, order], [MemberPhase.ordered, 5]);
    node.order(8);
    node.run(1);
    assert.equal(node.takeStatus().order, 8);
    node.commit(8);
    assert.deepEqual(node.takeDisk(), [{ kind: "commit", key: keyOf(), order: 8, ownAfter: [] }]);
  });

  test("fails before COMMIT when something is", () => {
    const node = ordered();
    node.takeDisk();
    node.handle({ kind: "weighed", key: keyOf(), failure: "f: this host pushes it itself" });
    node.run(1);
    const { phase, reason } = node.takeStatus();
    assert.deepEqual([phase, reason], [MemberPhase.failed, "f: this host pushes it itself"]);
    assert.deepEqual(node.takeDisk(), [{ kind: "discard", key: keyOf() }]);
    node.handle({ kind: "weighed", key: keyOf(), failure: undefined });
  });

  test("is weighed against all pushes of the node, whatever their places", () => {
    const node = new ScriptedReceiver();
    const targets = [...node.engine.membership.members];
    node.handle({
      kind: "start-transfer",
      request: { transfer: 7, targets, dryRun: false, allOrNothing: false },
    });
    node.becomeReady(true);
    node.order(0);
    const weighed = node.takeDisk().filter(({ kind }) => kind === "weigh");
    assert.deepEqual(weighed, [{ kind: "weigh", key: keyOf(), own: [7] }]);
  });

  test("is not committed without that", () => {
    const node = ordered();
    node.takeDisk();
    node.commit(3);
    node.run(10);
    assert.deepEqual(node.takeDisk(), []);
  });
});

test("any other transfer gets its place at once", () => {
  const node = new ScriptedReceiver();
  node.becomeReady();
  node.takeDisk();
  node.order(3);
  node.run(1);
  assert.deepEqual(node.takeDisk(), []);
  assert.equal(node.takeStatus().phase, MemberPhase.ordered);
});
