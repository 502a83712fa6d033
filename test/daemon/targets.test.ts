import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { Arrivals } from "../../src/daemon/pushes/arrivals.ts";
import { chooseTargets } from "../../src/daemon/pushes/targets.ts";
import type { Member } from "../../src/engine/types.ts";

function member(hostName: string, ip: string, labels: string[] = [], receives = true): Member {
  const info = { hostName, version: "2.0.0", protocol: 3, receives, sends: true, labels };
  return { nodeId: ip, epoch: ip, address: { ip, port: 5000 }, info, joinedMs: 0 };
}

const MEMBERS = [
  member("web1", "10.0.0.1", ["web", "tokyo"]),
  member("web2", "10.0.0.2", ["web", "osaka"]),
  member("db1", "10.0.1.1", ["tokyo"]),
  member("log1", "10.0.1.2", ["tokyo"], false),
];

const choose = (targets: string[], excepts: string[] = []) => {
  const { members, unknown, unknownExcepts } = chooseTargets(MEMBERS, targets, excepts);
  return [members.map(({ info }) => info.hostName).join(" "), unknown.join(" "), unknownExcepts.join(" ")];
};

test("names, addresses, patterns and labels choose members", () => {
  assert.deepEqual(choose([]), ["web1 web2 db1", "", ""]);
  assert.deepEqual(choose(["web2", "10.0.1.1"]), ["web2 db1", "", ""]);
  assert.deepEqual(choose(["web*"]), ["web1 web2", "", ""]);
  assert.deepEqual(choose(["10.0.1.*"]), ["db1", "", ""]);
  assert.deepEqual(choose(["@tokyo"]), ["web1 db1", "", ""]);
  assert.deepEqual(choose(["@o*", "web2"]), ["web2", "", ""]);
});

test("one that does not receive is only asked when it is named", () => {
  assert.deepEqual(choose(["log1"]), ["log1", "", ""]);
  assert.deepEqual(choose(["log*"]), ["", "log*", ""]);
});

test("a check asks also those that do not receive", () => {
  const names = (targets: string[]) =>
    chooseTargets(MEMBERS, targets, [], true).members.map(({ info }) => info.hostName);
  assert.deepEqual(names([]), ["web1", "web2", "db1", "log1"]);
  assert.deepEqual(names(["log*"]), ["log1"]);
});

test("what fits nobody is told, and the others are taken", () => {
  assert.deepEqual(choose(["web9", "db1", "@paris", "mail*"]), ["db1", "web9 @paris mail*", ""]);
});

test("members are left out by name, pattern and label", () => {
  assert.deepEqual(choose([], ["web1"]), ["web2 db1", "", ""]);
  assert.deepEqual(choose(["@web"], ["@tokyo"]), ["web2", "", ""]);
  assert.deepEqual(choose([], ["web?", "db9"]), ["db1", "", "db9"]);
  assert.deepEqual(choose(["web1"], ["*"]), ["", "", ""]);
});

test("a name of two members and a pattern that is none are refused", () => {
  const twins = [member("web1", "10.0.0.1"), member("web1", "10.0.0.2")];
  assert.throws(
    () => chooseTargets(twins, ["web1"], []),
    /2 members are called web1 \(10\.0\.0\.1 and 10\.0\.0\.2\)/,
  );
  assert.equal(chooseTargets(twins, ["web1*"], []).members.length, 2);
  assert.equal(
    chooseTargets(twins, [], ["web1"]).members.length,
    0,
    "both are left out: that is the safe side",
  );
  assert.throws(() => chooseTargets(twins, ["web\\"], []), UserError);
  assert.throws(
    () => chooseTargets(twins, Array<string>(1_025).fill("a*"), []),
    /1025 hosts are named: give 1024/,
  );
});

test("arrivals are waited for until there are enough, the time is over, or nobody asks any more", async () => {
  const arrivals = new Arrivals();
  let present = 1;
  const enough = (count: number) => () => present >= count;
  const never = new AbortController().signal;
  assert.equal(await arrivals.wait(enough(1), 0, never), true);
  assert.equal(await arrivals.wait(enough(2), 5, never), false);
  const gone = new AbortController();
  const waiting = [arrivals.wait(enough(2), 60_000, never), arrivals.wait(enough(9), 60_000, gone.signal)];
  arrivals.onEvent({ kind: "member-joined" });
  present = 2;
  arrivals.onEvent({ kind: "member-joined" });
  assert.equal(await waiting[0], true);
  gone.abort();
  assert.equal(await waiting[1], false);
  assert.equal(await arrivals.wait(enough(9), 60_000, gone.signal), false);
});

test("two members with one name are told apart as --members shows them", () => {
  const twins = [member("localhost", "10.0.0.4"), member("localhost", "10.0.0.5")];
  const { members } = chooseTargets(twins, ["localhost(10.0.0.5)"], []);
  assert.deepEqual(
    members.map(({ address }) => address.ip),
    ["10.0.0.5"],
  );
  const others = chooseTargets(twins, [], ["localhost(10.0.0.5)"]);
  assert.deepEqual(
    others.members.map(({ address }) => address.ip),
    ["10.0.0.4"],
  );
});
