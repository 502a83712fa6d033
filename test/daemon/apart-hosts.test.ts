import assert from "node:assert/strict";
import { test } from "node:test";
import { ApartHosts } from "../../src/daemon/pushes/apart-hosts.ts";
import { chooseReachable } from "../../src/daemon/pushes/targets.ts";
import { resultWithoutTransfer } from "../../src/daemon/pushes/transfer-result.ts";
import type { Member } from "../../src/engine/types.ts";
import { ForeignSources } from "../../src/net/foreign-sources.ts";
import { KeyRing } from "../../src/net/key-ring.ts";
import { nodeInfo } from "../support/node-info.ts";

const OURS = Buffer.alloc(32, 1);
const ring = KeyRing.of([OURS]);
const [fingerprint = ""] = ring.fingerprints ?? [];
const PUSH = { allOrNothing: false, isCheck: false, dryRun: false };

function member(number: number, keys?: readonly string[]): Member {
  const info = nodeInfo(`host${number}`, { version: "2", keys });
  const address = { ip: `10.0.0.${number}`, port: 5000 };
  return { nodeId: `${number}`.repeat(32), epoch: `${number}`.repeat(16), address, info, joinedMs: 0 };
}

function world() {
  const foreign = new ForeignSources();
  const clock = { nowMs: 0 };
  const apart = new ApartHosts({ ring, foreign, nowMs: () => clock.nowMs });
  const joins = (one: Member) => apart.onEvent({ kind: "member-joined", member: one });
  const leaves = (one: Member) => apart.onEvent({ kind: "member-left", member: one, reason: "silence" });
  return { foreign, apart, clock, joins, leaves };
}

/** A push that is no dry run. */
const REAL = { isCheck: false, dryRun: false };

test("a dry run of a push turns a member down that does not receive, and a check asks it", () => {
  const { apart } = world();
  const idle = member(1);
  const members = [{ ...idle, info: { ...idle.info, receives: false } }];
  const choose = (isCheck: boolean, dryRun: boolean) => {
    const chosen = chooseReachable(members, apart, ["host1"], [], { isCheck, dryRun });
    return [chosen.members.length, chosen.apart.map(({ reason }) => reason)];
  };
  assert.deepEqual(choose(false, true), [0, ["it does not receive"]]);
  assert.deepEqual(choose(true, true), [1, []]);
  assert.deepEqual(choose(false, false), [1, []], "the member itself says so");
});

test("a member that does not accept our key is chosen and not reached", () => {
  const { apart } = world();
  const members = [
    member(1, [fingerprint, "00000000"]),
    member(2, ["00000000"]),
    member(3),
    member(4, ["00000000", fingerprint]),
  ];
  const chosen = chooseReachable(members, apart, [], [], REAL);
  assert.deepEqual(
    chosen.members.map(({ info }) => info.hostName),
    ["host1", "host3", "host4"],
  );
  const [verdict] = chosen.apart;
  assert.deepEqual([chosen.apart.length, verdict?.hostName, verdict?.outcome], [1, "host2", "failed"]);
  assert.ok(verdict?.reason.startsWith(`it does not accept the key ${fingerprint}, `));
  assert.deepEqual(chooseReachable(members, apart, [], ["host2"], REAL).apart, []);
});

test("a former member counts while it is heard under another key, by its id or its address", () => {
  for (const [ip, nodeId] of [
    ["10.0.0.2", "f".repeat(32)],
    ["10.0.0.9", "2".repeat(32)],
  ] as const) {
    const { foreign, apart, clock, leaves } = world();
    leaves(member(2));
    assert.deepEqual(apart.lost(), []);
    foreign.note(ip, nodeId, 0);
    foreign.note(ip, nodeId, 10);
    for (const names of [[], ["host2"], ["host*"], ["10.0.0.2"]]) {
      const { members, unknown, apart: verdicts } = chooseReachable([member(1)], apart, names, [], REAL);
      assert.deepEqual(
        [members.length, unknown],
        [names[0] === undefined || names[0] === "host*" ? 1 : 0, []],
      );
      assert.equal(verdicts.length, 1);
      const beginning = `it is no member any more, and 2 packets under another key came from ${ip}: `;
      assert.ok(verdicts[0]?.reason.startsWith(beginning), verdicts[0]?.reason);
    }
    clock.nowMs = 60_010;
    assert.deepEqual(apart.lost(), []);
  }
});

test("a host that is a member again is not lost", () => {
  const { foreign, apart, joins, leaves } = world();
  leaves(member(2));
  foreign.note("10.0.0.2", "2".repeat(32), 0);
  joins({ ...member(2), epoch: "a".repeat(16) });
  assert.deepEqual([apart.lost(), foreign.present(0)], [[], []]);
});

test("packets of strangers alone concern no push", () => {
  const { foreign, apart } = world();
  foreign.note("10.0.0.7", "7".repeat(32), 0);
  assert.deepEqual([apart.lost(), chooseReachable([member(1)], apart, [], [], REAL).apart], [[], []]);
});

test("a host that cannot be reached is missing for --all-or-nothing, and a result without any member", () => {
  const { foreign, apart, leaves } = world();
  leaves(member(2));
  foreign.note("10.0.0.2", "2".repeat(32), 0);
  const both = { ...chooseReachable([member(1)], apart, [], [], REAL), missing: [] };
  const refused = resultWithoutTransfer({ ...PUSH, allOrNothing: true }, both);
  assert.deepEqual([refused?.exitStatus, refused?.aborted], [6, "host2 cannot be reached"]);
  const alone = resultWithoutTransfer(PUSH, { ...chooseReachable([], apart, [], [], REAL), missing: [] });
  assert.deepEqual([alone?.exitStatus, alone?.hosts.map(({ host }) => host)], [3, ["host2"]]);
});

test("addresses that are remembered are few, and the last ones heard stay", () => {
  const foreign = new ForeignSources();
  for (let number = 0; number < 1_000; number++)
    foreign.note(`10.0.${number >> 8}.${number & 255}`, "", number);
  const present = foreign.present(1_000);
  assert.deepEqual([present.length, present[0]?.ip], [256, "10.0.3.231"]);
});
