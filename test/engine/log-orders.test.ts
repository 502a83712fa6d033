import assert from "node:assert/strict";
import { test } from "node:test";
import { below, SeededRandom } from "../../src/base/random.ts";
import { type Here, MISSED, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import { covers } from "../../src/engine/catch-up/scopes.ts";
import type { Publication } from "../../src/wire/publication.ts";
import { publication } from "./catching-node.ts";

/** The log of a node does not depend on the order in which it has heard of the publications. */

const SELF = { hostName: "host2", ip: "10.0.0.2", labels: [] };
const LISTED: Here = { atMs: 1, list: "list", reason: "" };

function drawPublication(random: SeededRandom, number: number): Publication {
  const oneOf = <Value>(...values: readonly Value[]) => values[below(random, values.length)] as Value;
  const drawn = publication(number, {
    paths: oneOf([""], ["d"], ["d/x"], ["d/x", "a"], ["a"]),
    recursive: oneOf(true, true, false),
    deletes: oneOf("also", "also", "nothing", "only"),
    sendsAttributes: oneOf(true, false),
    isPartial: oneOf(false, false, true),
    excludes: oneOf([], [], ["b"], ["b", "c"]),
    targets: oneOf([], [], ["host2"], ["@web"]),
    excepts: oneOf([], [], ["host3"]),
  });
  const undoes = { nodeId: "01".repeat(16), epoch: "aa".repeat(8), number: 1 };
  return oneOf(false, false, false, true) ? { ...drawn, undoes } : drawn;
}

test("of three publications, the last covers the first if it covers the second, and that the first", () => {
  const random = new SeededRandom(1);
  let found = 0;
  for (let round = 0; round < 200_000; round++) {
    const [first, second, third] = [1, 2, 3].map((number) => drawPublication(random, number));
    if (!covers(second!, first!) || !covers(third!, second!)) continue;
    found++;
    assert.ok(covers(third!, first!), JSON.stringify([first, second, third].map((one) => one?.scope)));
  }
  assert.ok(found > 20, `${found} such`);
});

test("nodes that have heard of the same publications in another order have the same log", () => {
  const random = new SeededRandom(2);
  for (let round = 0; round < 5_000; round++) {
    const all = [1, 2, 3, 4].map((number) => drawPublication(random, number));
    const digests = [all, all.toReversed(), [2, 0, 3, 1].map((index) => all[index]!)].map((order) => {
      const log = new PublicationLog(SELF);
      for (const one of order) log.add(one, MISSED);
      return log.digest;
    });
    assert.deepEqual(new Set(digests).size, 1, JSON.stringify(all.map(({ scope }) => scope)));
  }
});

test("a push for others does not stand for its paths where an earlier one has taken effect after it", () => {
  // This host has sent the second one to host3 alone, and gets the first one, which is for all, after that.
  const [first, second] = [publication(1), publication(2, { targets: ["host3"] })];
  const host3 = { hostName: "host3", ip: "10.0.0.3", labels: [] };
  const log = new PublicationLog(SELF);
  log.add(second, LISTED);
  log.add(first, MISSED);
  assert.deepEqual(log.servable([1], [host3]), [1]);
  log.add(first, LISTED);
  // What it has there now is of the first one: it must not be taken for what is below the second one.
  assert.deepEqual(log.servable([0, 1], [host3]), []);
  // Where the second one is for this host, too, its paths were left alone.
  const meant = new PublicationLog(host3);
  meant.add(second, LISTED);
  meant.add(first, LISTED);
  assert.deepEqual(meant.servable([0, 1], [host3]), [0, 1]);
});
