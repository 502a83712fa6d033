import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { membershipsOf } from "../../src/net/group-memberships.ts";
import { chooseInterface, preferredInterface } from "../../src/net/interfaces.ts";
import { type Host, on } from "./made-up-host.ts";

/** Which interface a node takes, on hosts of all kinds. */

const GROUP = "224.0.0.108";

const LOOPBACK = { lo: ["127.0.0.1", "::1"] };
const TWO = { ...LOOPBACK, eth0: ["fe80::1", "10.0.0.5"], eth1: ["192.168.2.7", "192.168.2.8"] };
const ANY = "00000000";

const refuses = (host: Host, wanted: string | undefined, sentence: RegExp) =>
  assert.throws(
    () => on(host, () => chooseInterface(wanted, GROUP)),
    (error) => error instanceof UserError && sentence.test(error.message),
  );

test("an interface is found by its name, which stands for its first address, or by an address", () => {
  const host = { addresses: TWO };
  const found = (wanted: string) => on(host, () => chooseInterface(wanted, GROUP));
  assert.deepEqual(found("eth1"), { name: "eth1", ip: "192.168.2.7" });
  assert.deepEqual(found("eth0"), { name: "eth0", ip: "10.0.0.5" });
  assert.deepEqual(found("192.168.2.8"), { name: "eth1", ip: "192.168.2.8" });
  assert.deepEqual(found("lo"), { name: "lo", ip: "127.0.0.1" });
});

test("all addresses that begin with 127 are local", () => {
  for (const ip of ["127.0.0.2", "127.255.13.1"])
    assert.deepEqual(
      on({ addresses: TWO }, () => chooseInterface(ip, GROUP)),
      { name: "lo", ip },
    );
  for (const ip of ["127.0.0", "1127.0.0.1", "127.0.0.1.5", "127.0.0.1234"])
    refuses({ addresses: TWO }, ip, /there is no interface or local address/);
});

test("what is not there is told with all that is", () => {
  refuses(
    { addresses: TWO },
    "eth7",
    /^there is no interface or local address eth7: this host has lo \(127.0.0.1\), eth0 \(10.0.0.5\), eth1 \(192.168.2.7\), eth1 \(192.168.2.8\)$/,
  );
  refuses({ addresses: {} }, "eth7", /this host has none$/);
});

test("a device without an address is not the same as none", () => {
  const host = { addresses: LOOPBACK, devices: ["lo", "eth0"] };
  refuses(host, "eth0", /^the interface eth0 is down or has no IPv4 address: bring it up/);
  refuses(host, "eth", /^there is no interface/);
});

test("without a wish the interface of the default route with the lowest metric is taken", () => {
  const routes = [
    ["eth0", ANY, 600, ANY],
    ["eth1", ANY, 100, ANY],
    ["eth0", "0002A8C0", 0, "00FFFFFF"],
    ["eth0", ANY, 1, "000000FE"],
    ["eth0", "0002A8C0", 1, ANY],
  ] as const;
  const chosen = (host: Host) => on(host, () => chooseInterface(undefined, GROUP)).name;
  assert.equal(chosen({ addresses: TWO, routes }), "eth1");
  assert.equal(chosen({ addresses: TWO, routes: [["eth0", ANY, 99, ANY], ...routes] }), "eth0");
});

test("where no route tells, it is the first interface that is not the loopback", () => {
  const chosen = (routes: Host["routes"]) =>
    on({ addresses: TWO, ...(routes && { routes }) }, () => chooseInterface(undefined, GROUP));
  for (const routes of [undefined, [], [["ppp0", ANY, 0, ANY]]] as const)
    assert.deepEqual(chosen(routes), { name: "eth0", ip: "10.0.0.5" });
});

test("a host with nothing but the loopback has no interface by itself", () => {
  refuses({ addresses: LOOPBACK, routes: [] }, undefined, /^no network interface has an IPv4 address/);
});

/** 224.0.0.0/4 in the kernel's form. */
const GROUPS = ["000000E0", "000000F0"] as const;

test("a route to the group goes before the default route, whatever its metric", () => {
  const [to, mask] = GROUPS;
  const routes = [
    ["eth0", ANY, 0, ANY],
    ["eth1", to, 900, mask],
  ] as const;
  const found = on({ addresses: TWO, routes }, () => preferredInterface(GROUP));
  assert.deepEqual(found, { name: "eth1", ip: "192.168.2.7", isRouted: true });
  // A route to another group is none to this one: 239.0.0.0/8.
  const other = [routes[0], ["eth1", "000000EF", 0, "000000FF"]] as const;
  assert.equal(on({ addresses: TWO, routes: other }, () => preferredInterface(GROUP)).name, "eth0");
  assert.equal(on({ addresses: TWO, routes: other }, () => preferredInterface("239.1.2.3")).name, "eth1");
});

test("where the kernel refuses the group, the less special routes do not count", () => {
  const [to, mask] = GROUPS;
  const routes = [
    ["eth1", ANY, 0, ANY],
    ["*", to, 0, mask, "0201"],
  ] as const;
  assert.deepEqual(
    on({ addresses: TWO, routes }, () => preferredInterface(GROUP)),
    { name: "eth0", ip: "10.0.0.5", isRouted: false },
  );
});

test("an interface for containers is only guessed if there is no other", () => {
  const docker = { ...LOOPBACK, docker0: ["172.17.0.1"] };
  const preferred = (addresses: Host["addresses"]) => on({ addresses }, () => preferredInterface(GROUP)).name;
  assert.equal(preferred(docker), "docker0");
  assert.equal(preferred({ ...docker, eth0: ["10.0.0.5"] }), "eth0");
});

test("a network stands for the first address in it", () => {
  const found = (wanted: string) => on({ addresses: TWO }, () => chooseInterface(wanted, GROUP));
  assert.deepEqual(found("192.168.0.0/16"), { name: "eth1", ip: "192.168.2.7" });
  assert.deepEqual(found("192.168.2.8/32"), { name: "eth1", ip: "192.168.2.8" });
  assert.deepEqual(found("10.0.0.99/24"), { name: "eth0", ip: "10.0.0.5" });
  refuses(
    { addresses: TWO },
    "10.0.0.0/30",
    /^there is no interface with an address in 10.0.0.0\/30: this host has lo /,
  );
  for (const wrong of ["10.0.0/24", "10.0.0.0/33", "10.0.0.0/24/1", "10.0.0.0/"])
    refuses({ addresses: TWO }, wrong, /^there is no interface or local address 10/);
});

test("the memberships of an interface are read with its number", () => {
  const igmp = [
    "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter",
    "1\tlo        :     1      V3",
    "\t\t\t\t6C0000E0     1 0:00000000\t\t0",
    "12\teth0      :     2      V3",
    "\t\t\t\t6C0000E0     2 0:00000000\t\t0",
    "\t\t\t\t010000E0     1 0:00000000\t\t0",
    "13\tverylongname.12:     1      V3",
    "\t\t\t\t010000E0     1 0:00000000\t\t0",
    "",
  ].join("\n");
  const found = (name: string) => on({ addresses: {}, igmp }, () => membershipsOf(name, GROUP));
  assert.deepEqual(found("eth0"), { index: 12, hasGroup: true });
  assert.deepEqual(found("verylongname.12"), { index: 13, hasGroup: false });
  assert.equal(found("eth"), undefined);
  assert.equal(
    on({ addresses: {} }, () => membershipsOf("eth0", GROUP)),
    undefined,
  );
});
