import assert from "node:assert/strict";
import { test } from "node:test";
import { randomBytes, SeededRandom } from "../../src/base/random.ts";
import { MemoryFleet, type MemoryNode } from "./memory-fleet.ts";

/**
 * Somebody without the key cannot make messages, but can show a real one to a node that it was not meant for. It
 * opens there, and nobody there has seen its counter.
 */

const random = new SeededRandom(1);

function beginFleet() {
  const fleet = new MemoryFleet(["alpha", "beta", "gamma"], 1);
  fleet.join();
  const [alpha, beta, gamma] = fleet.nodes as [MemoryNode, MemoryNode, MemoryNode];
  return { fleet, alpha, beta, gamma };
}

const treeOf = (name: string, bytes: number) => new Map([[name, randomBytes(random, bytes)]]);

function finish(fleet: MemoryFleet, sender: MemoryNode): (readonly [string, string])[] {
  const results = () => sender.results.filter((event) => event.kind === "transfer-finished");
  fleet.runUntil(() => results().length > 0, 60_000);
  return results().flatMap(({ result }) =>
    result.verdicts.map((one) => [one.hostName, one.outcome] as const),
  );
}

/** What one node has heard and the other has not. */
function heardOnlyBy(node: MemoryNode, other: MemoryNode): Buffer[] {
  const heard = new Set(other.seen.map((datagram) => datagram.toString("hex")));
  return node.seen.filter((datagram) => !heard.has(datagram.toString("hex")));
}

test("what a member reports to one sender means nothing to another", () => {
  const { fleet, alpha, beta, gamma } = beginFleet();
  const seenBefore = alpha.seen.length;
  alpha.startTransfer(1, treeOf("first", 10));
  finish(fleet, alpha);
  const reports = alpha.seen.slice(seenBefore).filter((datagram) => datagram[2] === 1);
  // Both call their transfer the first. Gamma does not hear beta, so it can have nothing of it.
  fleet.isCut = (from, to) => from === beta && to === gamma;
  beta.startTransfer(1, treeOf("second", 50_000));
  for (const report of reports) {
    beta.take(report, gamma.address);
    for (let stepMs = 0; stepMs < 8; stepMs++) fleet.step();
  }
  assert.deepEqual(finish(fleet, beta), [
    ["gamma", "failed"],
    ["alpha", "done"],
  ]);
  assert.ok(alpha.tree.has("second") && !gamma.tree.has("second"));
});

test("an ABORT for one member ends nothing at another", () => {
  const { fleet, alpha, beta, gamma } = beginFleet();
  // Gamma hears, but is not heard: alpha goes on without it and tells it so.
  fleet.isCut = (from) => from === gamma;
  alpha.startTransfer(1, treeOf("file", 500_000));
  fleet.onDelivered = (node) => {
    if (node === gamma) for (const copy of heardOnlyBy(gamma, beta)) beta.take(copy, alpha.address);
  };
  assert.deepEqual(finish(fleet, alpha), [
    ["gamma", "failed"],
    ["beta", "done"],
  ]);
  assert.ok(beta.tree.has("file") && !gamma.tree.has("file"));
});
