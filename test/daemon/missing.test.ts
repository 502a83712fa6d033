import assert from "node:assert/strict";
import { test } from "node:test";
import { addMissing, checkPresent, noMember } from "../../src/daemon/pushes/missing.ts";
import type { ChosenTargets } from "../../src/daemon/pushes/targets.ts";
import type { InterfaceAddress } from "../../src/net/interfaces.ts";
import type { Member, Problem } from "../../src/engine/types.ts";

/** Which hosts that are heard and are no members a push means. */

function info(hostName: string, labels: readonly string[] = [], receives = true) {
  return { hostName, version: "2.0.0", protocol: 3, receives, sends: true, labels };
}

const UNANSWERED: Problem = {
  kind: "unanswered",
  ip: "10.0.0.3",
  nodeId: "3",
  isProven: true,
  count: 1,
  info: info("host3", ["web"]),
};
const SAYS_4: Problem = { kind: "other-version", ip: "10.0.0.4", version: 4, isProven: false, count: 2 };
const FOREIGN: Problem = { kind: "foreign-key", ip: "10.0.0.5", isProven: false, count: 5 };
const MUTE: Problem = { kind: "mute", ip: "10.0.0.6", isProven: true, count: 1, info: info("host6") };
const SENDS_ONLY: Problem = { ...UNANSWERED, ip: "10.0.0.7", info: info("host7", [], false) };
const CHOSEN = { name: "eth0", ip: "10.0.0.1" };
const ALL = [UNANSWERED, SAYS_4, FOREIGN, MUTE, SENDS_ONLY];

function missing(
  names: readonly string[],
  excepts: readonly string[] = [],
  { isSealed = true, nodeIds = [] as readonly string[] } = {},
) {
  const chosen: ChosenTargets = { members: [], unknown: names, unknownExcepts: excepts, apart: [] };
  const members = nodeIds.map((nodeId) => ({ nodeId }));
  const found = addMissing(chosen, names, excepts, {
    ...{ problems: ALL, members, isSealed, port: 5000, chosen: CHOSEN, others: [] },
  });
  const addresses = found.missing.map(({ address }) => address);
  return { addresses, unknown: found.unknown, unknownExcepts: found.unknownExcepts };
}

const CASES: readonly [name: string, found: ReturnType<typeof missing>, addresses: string[]][] = [
  ["everybody: hosts that the key proves to be of the fleet, and that receive", missing([]), ["10.0.0.3"]],
  [
    "everybody in a fleet without a key: also those that only say so",
    missing([], [], { isSealed: false }),
    ["10.0.0.3", "10.0.0.4"],
  ],
  ["a host by its name", missing(["host3"]), ["10.0.0.3"]],
  ["a host by its label", missing(["@web"]), ["10.0.0.3"]],
  ["hosts by a pattern", missing(["host*"]), ["10.0.0.3"]],
  ["a host under another key, by its address", missing(["10.0.0.5"]), ["10.0.0.5"]],
  ["a host that does not receive, by its name", missing(["host7"]), ["10.0.0.7"]],
  ["a member, whatever is in its way", missing(["host6"]), []],
  ["a host that is left out", missing([], ["host3"]), []],
  ["a host that is a member at another address", missing([], [], { nodeIds: ["3"] }), []],
  ["another host", missing(["host9"]), []],
];

for (const [name, { addresses }, expected] of CASES) {
  test(`a push means ${name}`, () => assert.deepEqual(addresses, expected));
}

test("a name of a host that is heard is not unknown", () => {
  assert.deepEqual(missing(["host3", "host9"]).unknown, ["host9"]);
  assert.deepEqual(missing([], ["host3", "host9"]).unknownExcepts, ["host9"]);
});

test("a push without a member says what is in the way of every host that is heard", () => {
  const here = { members: [], isSealed: true, port: 5001, chosen: CHOSEN };
  const sentence = (problems: readonly Problem[], others: readonly InterfaceAddress[] = []) =>
    noMember({ ...here, problems, others }).message;
  assert.match(
    sentence([]),
    /^there is no member to send to: no other host is heard on eth0 \(10\.0\.0\.1\): run 'systemctl start makuosan' on/,
  );
  assert.match(
    noMember({ ...here, problems: [FOREIGN], others: [], unrouted: "10.0.0.0/24" }).message,
    /^there is no member to send to: this host has no route to 10\.0\.0\.0\/24: run 'ip route add .* dev eth0',.*; 5 packets/,
  );
  const other = { name: "eth1", ip: "10.1.0.1", netmask: "255.255.255.0" };
  assert.equal(
    sentence([], [other]),
    "there is no member to send to: no other host is heard on eth0 (10.0.0.1); this host also has eth1 (10.1.0.1): " +
      "to use another one, run 'makuosan --set interface=eth1' and 'systemctl restart makuosan'",
  );
  assert.equal(
    sentence([FOREIGN, UNANSWERED]),
    "there is no member to send to: 5 packets under another key from 10.0.0.5: is its key file that of this fleet? " +
      "If not, copy the key file of this host to it, and run 'systemctl restart makuosan' there; " +
      "host3 (10.0.0.3) is heard but does not answer: is UDP 5001 let in there? " +
      "If not, run 'ufw allow 5001/udp', 'firewall-cmd --add-port=5001/udp && firewall-cmd --permanent --add-port=5001/udp', " +
      "or for nftables 'nft insert rule inet filter input udp dport 5001 accept'",
  );
});

test("a push that reaches none of the members says why, and not that nobody is heard", () => {
  const member = (hostName: string, receives: boolean) =>
    ({
      nodeId: hostName,
      info: info(hostName, [], receives),
      address: { ip: hostName, port: 5000 },
    }) as Member;
  const apart = { lost: () => [], verdictOn: () => undefined };
  const check = (members: readonly Member[], excepts: readonly string[]) => () =>
    checkPresent(members, apart, { excepts, isCheck: false, dryRun: false });
  const nobody = (message: string) => ({
    exitStatus: 4,
    message: `there is no member to send to: ${message}`,
  });
  const [one, two, deaf] = [member("a", true), member("b", true), member("c", false)];
  assert.throws(check([one], ["a"]), nobody("--except names the only member: leave a name out"));
  assert.throws(check([one, two, deaf], ["*"]), nobody("--except names all 2 members: leave a name out"));
  const mend = "run 'makuosan --set receive=yes' and 'systemctl restart makuosan' there";
  assert.throws(check([deaf], []), nobody(`the only member does not receive: ${mend}`));
  assert.throws(check([deaf, deaf], ["a"]), nobody(`no member receives: ${mend}`));
  assert.doesNotThrow(check([], ["a"]));
});
