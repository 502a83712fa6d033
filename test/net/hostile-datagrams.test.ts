import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { randomBytes, SeededRandom } from "../../src/base/random.ts";
import { MemoryFleet, type MemoryNode } from "./memory-fleet.ts";
import { Noise } from "./noise.ts";

/** The same every time, unless SEED says otherwise. */
const SEED = Number(process.env["SEED"] ?? 1);

const PER_DELIVERY = 1200;
const IN_THE_MIDDLE = 120_000;
const SPOOFED_PER_DELIVERY = 40;

/** What may be left over when so many datagrams have gone by. */
const MOST_GROWTH_BYTES = 300_000;

/** Two nodes that send to each other at the same time. */
function beginSession(): MemoryFleet {
  const fleet = new MemoryFleet(["alpha", "beta"], SEED);
  fleet.join();
  const random = new SeededRandom(SEED + 1);
  const contents = (names: readonly string[], bytes: number) =>
    new Map(names.map((name, index) => [name, randomBytes(random, bytes >> index)]));
  const [alpha, beta] = fleet.nodes as [MemoryNode, MemoryNode];
  alpha.startTransfer(1, contents(["a1", "a2", "a3"], 800_000));
  beta.startTransfer(1, contents(["b1", "b2"], 900_000));
  return fleet;
}

const isFinished = (fleet: MemoryFleet) =>
  fleet.nodes.every((node) => node.results.some((event) => event.kind === "transfer-finished"));

const isHalfWay = (fleet: MemoryFleet) =>
  fleet.nodes.every((node) => [...node.stages.values()].some((stage) => stage.staged >= 5));

/** A session without anybody who disturbs it. */
function quietSession(): MemoryFleet {
  const fleet = beginSession();
  fleet.runUntil(() => isFinished(fleet), 60_000);
  return fleet;
}

function verdicts(fleet: MemoryFleet): string[] {
  return fleet.nodes.flatMap((node) =>
    node.results.flatMap((event) =>
      event.kind === "transfer-finished" ? event.result.verdicts.map((verdict) => verdict.outcome) : [],
    ),
  );
}

/** Throws hostile datagrams at a node, and compares what it counts with what it should. */
function attack(node: MemoryNode, noise: Noise, count: number): void {
  for (let done = 0; done < count; done++) {
    const { bytes, source } = noise.against(node);
    const expected = noise.expected(node, bytes);
    const { malformed, foreign, replayed, otherVersion } = node.counters;
    node.take(bytes, source);
    const { counters } = node;
    if (
      counters.malformed - malformed !== expected.malformed ||
      counters.foreign - foreign !== expected.foreign ||
      counters.replayed - replayed !== expected.replayed ||
      counters.otherVersion - otherVersion !== expected.otherVersion
    ) {
      const before = { malformed, foreign, replayed, otherVersion };
      assert.fail(`SEED=${SEED}: ${JSON.stringify({ expected, before, counters })} ${bytes.toString("hex")}`);
    }
  }
}

test("a quiet session ends with everything in its place, nothing counted, and no block spoilt", () => {
  const fleet = quietSession();
  const [alpha, beta] = fleet.nodes as [MemoryNode, MemoryNode];
  assert.deepEqual(verdicts(fleet), ["done", "done"]);
  assert.deepEqual(
    [[...beta.tree.keys()], [...alpha.tree.keys()]],
    [
      ["a1", "a2", "a3"],
      ["b1", "b2"],
    ],
  );
  for (const { counters, stages } of fleet.nodes) {
    assert.deepEqual([counters.malformed, counters.foreign, counters.replayed], [0, 0, 0]);
    // The first fragments come in one bunch with their OFFER; they have a place nevertheless.
    assert.deepEqual(
      [...stages.values()].map((stage) => stage.corrupt),
      [0],
    );
  }
});

test("random, mutated, forged and repeated datagrams are counted and change nothing at all", () => {
  const quiet = quietSession();
  const fleet = beginSession();
  const noise = new Noise(fleet, new SeededRandom(SEED + 2));
  fleet.onDelivered = (node) => attack(node, noise, PER_DELIVERY);
  fleet.runUntil(() => isFinished(fleet), 60_000);
  assertSameCourse(fleet, quiet);
  for (const { counters } of fleet.nodes) {
    const { malformed, foreign, replayed, otherVersion } = counters;
    assert.ok(
      malformed > 100 && foreign > 100 && replayed > 100 && otherVersion > 100,
      JSON.stringify(counters),
    );
    assert.match(counters.lastForeignSource, /^10\./);
  }
});

test("memory stays flat while hostile datagrams pour in", async () => {
  const fleet = beginSession();
  fleet.runUntil(() => isHalfWay(fleet), 60_000);
  const noise = new Noise(fleet, new SeededRandom(SEED + 3));
  const pour = (count: number) => {
    for (const node of fleet.nodes) attack(node, noise, count / 2);
  };
  // The first ones warm up what is kept on purpose: compiled code, the sets of the test itself.
  pour(10_000);
  const beforeBytes = await usedBytes();
  pour(IN_THE_MIDDLE);
  const growthBytes = (await usedBytes()) - beforeBytes;
  assert.ok(growthBytes < MOST_GROWTH_BYTES, `${growthBytes} bytes more than before`);
  fleet.runUntil(() => isFinished(fleet), 60_000);
  assertSameCourse(fleet, quietSession());
});

test("fragments forged in the sender's name cost repairs and nothing else", () => {
  const fleet = beginSession();
  const noise = new Noise(fleet, new SeededRandom(SEED + 4));
  let forged = 0;
  fleet.onDelivered = (node) => {
    if (forged > 20_000) return;
    for (let count = 0; count < SPOOFED_PER_DELIVERY; count++, forged++) {
      const { bytes, source } = noise.spoofedFragments(node);
      node.take(bytes, source);
    }
    node.pump();
  };
  fleet.runUntil(() => isFinished(fleet), 60_000);
  assert.deepEqual(verdicts(fleet), ["done", "done"]);
  assert.deepEqual(treesOf(fleet), treesOf(quietSession()));
  const corrupt = fleet.nodes.flatMap((node) => [...node.stages.values()].map((stage) => stage.corrupt));
  assert.ok(
    corrupt.every((count) => count > 0),
    "blocks were really hit",
  );
});

test("parity forged in the sender's name costs repairs and nothing else", () => {
  const fleet = new MemoryFleet(["alpha", "beta", "gamma"], SEED);
  fleet.join();
  const random = new SeededRandom(SEED + 5);
  const [alpha, ...others] = fleet.nodes as [MemoryNode, MemoryNode, MemoryNode];
  const tree = new Map([["a", randomBytes(random, 2_000_000)]]);
  alpha.startTransfer(1, tree);
  let forged = 0;
  fleet.onDelivered = (node) => {
    const heard = node.seen.at(-1);
    // A fragment of a long block makes parity that belongs to the block after it, but for the contents.
    if (node === alpha || forged >= 200 || heard?.[2] !== 2 || heard.length < 1440) return;
    const parity = Buffer.concat([heard.subarray(0, 32), randomBytes(random, 1408)]);
    parity.writeUInt32LE(parity.readUInt32LE(20) + 1, 20);
    parity[30] = 44 + (forged++ % 20);
    node.take(parity, alpha.address);
    node.pump();
  };
  fleet.runUntil(() => alpha.results.some((event) => event.kind === "transfer-finished"), 60_000);
  assert.deepEqual(verdicts(fleet), ["done", "done"]);
  for (const node of others) assert.deepEqual(node.tree, tree);
  const stages = others.flatMap((node) => [...node.stages.values()]);
  assert.ok(
    stages.every(({ corrupt }) => corrupt > 0),
    "blocks were really hit",
  );
  assert.ok(
    others.every((node) => node.restored > 10),
    "blocks were really restored",
  );
});

const treesOf = (fleet: MemoryFleet) =>
  fleet.nodes.map((node) =>
    [...node.tree].map(([name, content]) => [name, Buffer.from(content).toString("base64")]),
  );

/** Both nodes have asked for the same things at the same times, to the last field. */
function assertSameCourse(fleet: MemoryFleet, quiet: MemoryFleet): void {
  fleet.nodes.forEach((node, index) => {
    const expected = quiet.nodes[index]?.transcript ?? [];
    const first = node.transcript.findIndex((line, at) => line !== expected[at]);
    assert.equal(node.transcript[first], expected[first], `SEED=${SEED}: effect ${first} differs`);
    assert.equal(node.transcript.length, expected.length);
  });
  assert.deepEqual(treesOf(fleet), treesOf(quiet));
}

/** Memory in use after the garbage has been taken away; node:test clears away its own notes between events. */
async function usedBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await new Promise(setImmediate);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
