import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";
import { sameTrees } from "../support/trees.ts";

/** Networks whose packets are shorter than those of an Ethernet: tunnels, clouds. */

const skip = await namespaceProblem();

const FILE_BYTES = 8 * 1024 * 1024;

/** A field of the kernel's counters of IP on a host. */
async function ipCounter(host: Host, name: string): Promise<number> {
  const { stdout } = await host.run("cat", ["/proc/net/snmp"]);
  const [titles = "", values = ""] = stdout.split("\n").filter((line) => line.startsWith("Ip:"));
  return Number(values.split(" ")[titles.split(" ").indexOf(name)]);
}

const setLength = (host: Host, mtu: number) => host.run("ip", ["link", "set", "eth0", "mtu", String(mtu)]);

const statusOf = async (host: Host, name: string) =>
  new RegExp(`^${name} : (.*)$`, "m").exec((await host.msync("--status")).stdout)?.[1] ?? "";

/** Pushes new contents to everybody; how many milliseconds that took. */
async function push(sender: Host, receivers: readonly Host[]): Promise<number> {
  fs.writeFileSync(path.join(sender.base, "file"), randomBytes(FILE_BYTES));
  const beganMs = performance.now();
  const { status, stdout, stderr } = await sender.msync("-r");
  const durationMs = performance.now() - beganMs;
  assert.equal(status, 0, stdout + stderr);
  for (const receiver of receivers) assert.equal(await sameTrees(sender, receiver), "");
  return durationMs;
}

for (const options of [[], ["--no-offload"]] as const) {
  const how = options.length === 0 ? "with trains" : "without trains";
  test(`packets of every length carry a push whole, ${how}`, { skip }, async (suite) => {
    const fleet = await NamespaceFleet.create({ hosts: 3 });
    suite.after(() => fleet.destroy());
    const [sender, ...receivers] = fleet.hosts as [Host, Host, Host];
    for (const mtu of [1280, 1400, 1450]) {
      await suite.test(`${mtu} bytes`, async () => {
        await Promise.all(fleet.hosts.map((host) => setLength(host, mtu)));
        await Promise.all(fleet.hosts.map((host) => host.start(...options)));
        await acquainted(fleet.hosts);
        const before = await ipCounter(sender, "FragCreates");
        const durationMs = await push(sender, receivers);
        suite.diagnostic(`${mtu} bytes, ${how}: ${Math.round(durationMs)} ms`);
        assert.equal(await ipCounter(sender, "FragCreates"), before, "IP has divided no packet");
        assert.equal(await statusOf(sender, "send errors"), "0");
        await Promise.all(fleet.hosts.map((host) => host.stop()));
      });
    }
  });
}

test(
  "a member's shorter packets, and a change while the daemon runs, are taken into account",
  { skip },
  async (suite) => {
    const fleet = await NamespaceFleet.create({ hosts: 3 });
    suite.after(() => fleet.destroy());
    const [sender, short, third] = fleet.hosts as [Host, Host, Host];
    await setLength(short, 1400);
    await Promise.all(fleet.hosts.map((host) => host.start()));
    await acquainted(fleet.hosts);

    await suite.test("the interface of a member drops longer packets", async () => {
      await push(sender, [short, third]);
    });

    await suite.test("the interface of the sender has become shorter", async () => {
      await setLength(sender, 1300);
      // At once, before the daemon has looked: IP divides the datagrams, and none is refused without an end.
      await push(sender, [third]);
      const errors = Number(await statusOf(sender, "send errors"));
      assert.ok(errors < 100, `${errors} send errors`);
      await eventually("the daemon has looked", async () => {
        const before = await ipCounter(sender, "FragCreates");
        await push(sender, [short, third]);
        return (await ipCounter(sender, "FragCreates")) === before;
      });
    });
  },
);
