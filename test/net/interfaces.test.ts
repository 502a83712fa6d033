import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { chooseInterface } from "../../src/net/interfaces.ts";

/** Which interface a node takes, on hosts of all kinds. */

interface Host {
  /** Addresses of the interfaces, in the kernel's order. */
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  /** Lines of /proc/net/route: interface, destination, metric and mask. */
  readonly routes?: readonly (readonly [string, string, number, string])[];
  /** Devices that have no address. */
  readonly devices?: readonly string[];
}

/** Lets one look at a host that is made up. */
function on<T>(host: Host, look: () => T): T {
  const usual = { networkInterfaces: os.networkInterfaces, readFileSync: fs.readFileSync };
  const files: Record<string, string | undefined> = {
    "/proc/net/dev": [
      "Inter-| Receive",
      " face |bytes",
      ...(host.devices ?? []).map((one) => `  ${one}: 0 0`),
    ].join("\n"),
    "/proc/net/route":
      host.routes &&
      [
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU",
        ...host.routes.map(([name, to, metric, mask]) =>
          [name, to, "0102A8C0", "3", 0, 0, metric, mask, 0].join("\t"),
        ),
        "",
      ].join("\n"),
  };
  os.networkInterfaces = () =>
    Object.fromEntries(
      Object.entries(host.addresses).map(([name, addresses]) => [
        name,
        addresses.map((address) => ({ address, family: address.includes(":") ? "IPv6" : "IPv4" })),
      ]),
    ) as unknown as ReturnType<typeof os.networkInterfaces>;
  fs.readFileSync = ((path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`there is no ${path}`);
    return text;
  }) as unknown as typeof fs.readFileSync;
  try {
    return look();
  } finally {
    Object.assign(os, { networkInterfaces: usual.networkInterfaces });
    Object.assign(fs, { readFileSync: usual.readFileSync });
  }
}

const LOOPBACK = { lo: ["127.0.0.1", "::1"] };
const TWO = { ...LOOPBACK, eth0: ["fe80::1", "10.0.0.5"], eth1: ["192.168.2.7", "192.168.2.8"] };
const ANY = "00000000";

const refuses = (host: Host, wanted: string | undefined, sentence: RegExp) =>
  assert.throws(
    () => on(host, () => chooseInterface(wanted)),
    (error) => error instanceof UserError && sentence.test(error.message),
  );

test("an interface is found by its name, which stands for its first address, or by an address", () => {
  const host = { addresses: TWO };
  const found = (wanted: string) => on(host, () => chooseInterface(wanted));
  assert.deepEqual(found("eth1"), { name: "eth1", ip: "192.168.2.7" });
  assert.deepEqual(found("eth0"), { name: "eth0", ip: "10.0.0.5" });
  assert.deepEqual(found("192.168.2.8"), { name: "eth1", ip: "192.168.2.8" });
  assert.deepEqual(found("lo"), { name: "lo", ip: "127.0.0.1" });
});

test("all addresses that begin with 127 are local", () => {
  for (const ip of ["127.0.0.2", "127.255.13.1"])
    assert.deepEqual(
      on({ addresses: TWO }, () => chooseInterface(ip)),
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
  refuses(host, "eth0", /^the interface eth0 has no IPv4 address/);
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
  const chosen = (host: Host) => on(host, () => chooseInterface(undefined)).name;
  assert.equal(chosen({ addresses: TWO, routes }), "eth1");
  assert.equal(chosen({ addresses: TWO, routes: [["eth0", ANY, 99, ANY], ...routes] }), "eth0");
});

test("where no route tells, it is the first interface that is not the loopback", () => {
  const chosen = (routes: Host["routes"]) =>
    on({ addresses: TWO, ...(routes && { routes }) }, () => chooseInterface(undefined));
  for (const routes of [undefined, [], [["ppp0", ANY, 0, ANY]]] as const)
    assert.deepEqual(chosen(routes), { name: "eth0", ip: "10.0.0.5" });
});

test("a host with nothing but the loopback has no interface by itself", () => {
  refuses({ addresses: LOOPBACK, routes: [] }, undefined, /^no network interface has an IPv4 address/);
});
