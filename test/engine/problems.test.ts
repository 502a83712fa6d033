import assert from "node:assert/strict";
import { test } from "node:test";
import { Problems } from "../../src/engine/membership/problems.ts";
import type { FoundProblem } from "../../src/engine/types.ts";
import { type IsLost, Node, talk } from "./talking-nodes.ts";

/** What is in the way of a node that is heard is told once when it begins, and once when it ends. */

const foreign = (ip: string): FoundProblem => ({ kind: "foreign-key", ip, isProven: false });

function record(): { problems: Problems; told: string[] } {
  const told: string[] = [];
  const problems = new Problems((event) => {
    if (event.kind !== "problem-began" && event.kind !== "problem-ended") return;
    told.push(`${event.kind} ${event.problem.kind} ${event.problem.ip} ${event.problem.count}`);
  });
  return { problems, told };
}

test("a single packet under another key is nothing, the second one is told, and none after it", () => {
  const { problems, told } = record();
  problems.note(foreign("10.0.0.7"), 0);
  assert.deepEqual([told, problems.list], [[], []]);
  for (let packet = 0; packet < 4; packet++) problems.note(foreign("10.0.0.7"), 1_000);
  assert.deepEqual(told, ["problem-began foreign-key 10.0.0.7 2"]);
  assert.equal(problems.list[0]?.count, 5);
});

test("a problem is over after a minute in which it was not noticed", () => {
  const { problems, told } = record();
  problems.note({ kind: "unanswered", ip: "10.0.0.3", isProven: true }, 0);
  problems.expire(59_999);
  assert.equal(problems.list.length, 1);
  problems.note({ kind: "unanswered", ip: "10.0.0.3", isProven: true }, 59_999);
  problems.expire(119_998);
  assert.equal(problems.list.length, 1);
  problems.expire(119_999);
  assert.deepEqual(problems.list, []);
  assert.deepEqual(told, ["problem-began unanswered 10.0.0.3 1", "problem-ended unanswered 10.0.0.3 2"]);
});

test("strangers cannot fill the record, nor keep out what the key proves", () => {
  const { problems } = record();
  for (let host = 0; host < 1_000; host++)
    for (let packet = 0; packet < 2; packet++) problems.note(foreign(`10.1.${host >> 8}.${host & 255}`), 0);
  assert.equal(problems.list.length, 16);
  for (let host = 0; host < 1_000; host++)
    problems.note({ kind: "unanswered", ip: `10.2.${host >> 8}.${host & 255}`, isProven: true }, 0);
  assert.equal(problems.list.length, 16 + 256);
});

test("what a packet proves is not replaced by what another one only says", () => {
  const { problems } = record();
  const found = { kind: "other-version", ip: "10.0.0.7", version: 4 } as const;
  problems.note({ ...found, isProven: true, nodeId: "n" }, 0);
  for (let packet = 0; packet < 2; packet++) problems.note({ ...found, version: 9, isProven: false }, 0);
  assert.deepEqual(problems.list, [{ ...found, isProven: true, nodeId: "n", count: 3 }]);
});

test("a member at an address ends what kept it from being one, and nothing else", () => {
  const { problems, told } = record();
  for (const kind of ["unanswered", "foreign-key", "elsewhere", "other-version", "mute", "unheard"] as const)
    for (const ip of ["10.0.0.1", "10.0.0.2"])
      for (let time = 0; time < 2; time++) problems.note({ kind, ip, isProven: true }, 0);
  told.length = 0;
  problems.endAtMember("10.0.0.1");
  assert.deepEqual(
    problems.list.filter(({ ip }) => ip === "10.0.0.1").map(({ kind }) => kind),
    ["mute", "unheard"],
  );
  assert.equal(problems.list.filter(({ ip }) => ip === "10.0.0.2").length, 6);
});

const single: IsLost = (from, to, isForGroup) =>
  !isForGroup && (from.address.ip === "10.0.0.3" || to.address.ip === "10.0.0.3");

test("a node that is heard and does not answer is named within four seconds, until it answers or falls silent", () => {
  const a = new Node("a", 1, "10.0.0.1");
  const b = new Node("b", 2, "10.0.0.2");
  const c = new Node("c", 3, "10.0.0.3");
  talk([a, b, c], 0, 4_000, single);
  assert.deepEqual(a.problems, ["unanswered 10.0.0.3"]);
  assert.equal(a.membership.problems.list[0]?.info?.hostName, "c");
  talk([a, b, c], 4_005, 45_000);
  assert.deepEqual(a.problems, ["unanswered 10.0.0.3", "over: unanswered 10.0.0.3"]);
  const d = new Node("d", 4, "10.0.0.3");
  talk([a, b, d], 45_005, 51_000, single);
  talk([a, b], 51_005, 130_000);
  assert.deepEqual(a.problems.slice(2), ["unanswered 10.0.0.3", "over: unanswered 10.0.0.3"]);
});

test("a node that says goodbye is no problem any more", () => {
  const [a, c] = [new Node("a", 1, "10.0.0.1"), new Node("c", 3, "10.0.0.3")];
  talk([a, c], 0, 4_000, single);
  c.membership.stop();
  talk([a, c], 4_005, 4_010, single);
  assert.deepEqual(a.problems, ["unanswered 10.0.0.3", "over: unanswered 10.0.0.3"]);
});

test("a recorded HELLO of a host that is a member now names nobody", () => {
  const [a, b] = [new Node("a", 1, "10.0.0.1"), new Node("b", 2, "10.0.0.2")];
  talk([a, b], 0, 1_000);
  const [member] = a.membership.members;
  assert.ok(member !== undefined);
  a.hear(
    { ...b.peer, epoch: "9".repeat(16) },
    b.address,
    { type: "hello", body: { info: member.info } },
    1_005,
  );
  talk([a, b], 1_010, 10_000, (from, to) => from === a && to === b);
  assert.deepEqual(a.problems, []);
});

for (const protocol of [2, 3]) {
  test(`a host whose packets to the group do not arrive stays a member, and is named, version ${protocol}`, () => {
    const [a, b] = [new Node("a", 1, "10.0.0.1"), new Node("b", 2, "10.0.0.2", protocol)];
    const isLost: IsLost = (from, _to, isForGroup) => isForGroup && from === b;
    talk([a, b], 0, 200_000, isLost);
    assert.deepEqual(a.problems, ["mute 10.0.0.2"], "a does not hear b");
    if (protocol === 3) assert.deepEqual(b.problems, ["unheard 10.0.0.1"], "and b knows it");
    assert.deepEqual([a.events, a.membership.size], [["joined 10.0.0.2"], 1]);
    talk([a, b], 200_005, 300_000);
    assert.deepEqual(a.problems, ["mute 10.0.0.2", "over: mute 10.0.0.2"]);
    if (protocol === 3) assert.deepEqual(b.problems, ["unheard 10.0.0.1", "over: unheard 10.0.0.1"]);
  });
}

test("a fleet whose packets arrive has no problems", () => {
  const nodes = [1, 2, 3, 4].map((number) => new Node(`${number}`, number, `10.0.0.${number}`));
  talk(nodes, 0, 300_000);
  for (const { problems, membership } of nodes) assert.deepEqual([problems, membership.size], [[], 3]);
});
