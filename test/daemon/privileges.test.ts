import assert from "node:assert/strict";
import { test } from "node:test";
import { objectionTo } from "../../src/daemon/service/privileges.ts";
import { Capability, parseStatus } from "../../src/sys/capabilities.ts";

/** A drop of privileges that did not reach every thread is noticed. */

const IDENTITY = { uid: 33, gid: 34, groups: [40, 41] };
const KEPT = Capability.chown | Capability.mknod;

/** The status file of a thread, as the kernel writes it. */
function thread(changes: Partial<Record<"Uid" | "Gid" | "Groups" | "CapPrm" | "CapEff", string>> = {}) {
  const none = "0000000000000000";
  const fields = {
    Uid: "33 33 33 33",
    Gid: "34 34 34 34",
    Groups: "41 40 ",
    CapPrm: none,
    CapEff: none,
    ...changes,
  };
  return parseStatus(
    Object.entries(fields)
      .map(([name, value]) => `${name}:\t${value.replaceAll(" ", "\t")}`)
      .join("\n"),
  );
}

const kept = { CapPrm: "0000000008000001", CapEff: "0000000008000001" };

test("threads that are what they should be are accepted", () => {
  assert.equal(objectionTo([thread(), thread()], IDENTITY, 0n), undefined);
  assert.equal(objectionTo([thread(kept), thread(), thread(kept)], IDENTITY, KEPT), undefined);
});

for (const [what, main, other] of [
  ["a main thread that has kept something", thread(kept), thread()],
  ["another thread that has kept something", thread(), thread({ CapPrm: "0000000000000001" })],
  ["a thread that is still root", thread(), thread({ Uid: "33 33 0 33" })],
  ["a thread in root's group", thread(), thread({ Gid: "34 0 34 34" })],
  ["a thread with root's further groups", thread(), thread({ Groups: "0 40" })],
] as const) {
  test(`${what} is refused`, () => {
    assert.notEqual(objectionTo([main, other], IDENTITY, 0n), undefined);
  });
}

test("a main thread that could not keep what it needs is refused", () => {
  assert.notEqual(objectionTo([thread()], IDENTITY, KEPT), undefined);
  assert.notEqual(objectionTo([thread({ ...kept, CapEff: "0000000000000001" })], IDENTITY, KEPT), undefined);
});
