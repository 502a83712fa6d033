import assert from "node:assert/strict";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { LoopbackFleet } from "../support/loopback.ts";

test("--wait counts the members that are alive, and not one that has just died", async (context) => {
  const fleet = LoopbackFleet.create(3);
  context.after(() => fleet.destroy());
  const [one, , three] = fleet.hosts as [Host, Host, Host];
  await Promise.all(fleet.hosts.map((host) => host.start()));
  await acquainted(fleet.hosts);
  assert.equal((await one.msync("--wait", "2")).status, 0);
  await three.stop("SIGKILL");
  assert.match((await one.msync("--members")).stdout, /Total: 2 members/, "it is still a member");
  assert.equal((await one.msync("--wait", "1")).status, 0);
  const { status, stderr } = await one.msync("--wait", "2,1");
  assert.equal(status, 4, stderr);
  assert.match(stderr, /^error: 1 of 2 members are there after 1 s/);
  await three.start();
  assert.equal((await one.msync("--wait", "2")).status, 0);
});
