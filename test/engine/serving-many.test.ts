import assert from "node:assert/strict";
import { test } from "node:test";
import type { Member } from "../../src/engine/types.ts";
import { begin, HERE, member, publication } from "./catching-node.ts";

/** What it costs to choose, from many members that ask, those who are served together. */

function memberOf(number: number): Member {
  const hex = number.toString(16).padStart(4, "0");
  const info = { ...member.info, hostName: `host${number}` };
  return {
    ...{ ...member, info, epoch: hex.repeat(4), nodeId: hex.repeat(8) },
    address: { ip: `10.0.1.${number}`, port: 1 },
  };
}

/** How often the paths of 100 pushes are looked at while members are chosen; every second push is not for another host. */
function looks(members: number): number {
  let count = 0;
  const kept = Array.from({ length: 100 }, (_, index) => {
    const excepts = index % 2 === 0 ? [] : ["other"];
    const one = publication(index + 1, { excepts });
    const paths = [`d${index % 5}/x${index}`];
    const get = () => {
      count++;
      return paths;
    };
    Object.defineProperty(one.scope, "paths", { get });
    return [one, { ...HERE, list: `list${index}` }] as const;
  });
  const node = begin(kept);
  const all = Array.from({ length: members }, (_, index) => memberOf(index + 10));
  node.state.members.push(...all);
  const positions = [...kept.keys()];
  all.forEach((one, index) => {
    const missing = index % 2 === 0 ? positions : positions.slice(-1);
    node.catchUp.handle(one, { type: "ask", body: { digest: node.log.digest, missing } }, 0);
  });
  count = 0;
  node.catchUp.tick(20_000);
  const served = node.effects.flatMap((effect) => (effect.kind === "serve" ? [effect.members.length] : []));
  assert.deepEqual(served, [members]);
  return count;
}

test("the cost of choosing those who are served does not grow with the square of their number", () => {
  const [few, many] = [looks(10), looks(40)];
  assert.ok(many < 6 * few, `${few} looks for 10 members, ${many} for 40`);
});
