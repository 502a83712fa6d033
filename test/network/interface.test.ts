import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { eventually, must } from "../support/processes.ts";
import { sameTrees } from "../support/trees.ts";

/** A daemon stays with its fleet when its interface changes under it, and finds the interface of its fleet. */

const skip = await namespaceProblem();

const ipOf =
  (host: Host) =>
  (...args: string[]) => {
    const [program = "", ...rest] = host.command("ip", args);
    return must(program, rest);
  };

const rowOf = async (host: Host, name: string) => {
  const { stdout } = await host.msync("--status");
  return new RegExp(`^${name} : (.*)$`, "m").exec(stdout)?.[1] ?? "";
};

test("when the interface changes, the daemon joins again by itself", { skip }, async (suite) => {
  const fleet = await NamespaceFleet.create({ hosts: 3 });
  suite.after(() => fleet.destroy());
  await Promise.all(fleet.hosts.map((host) => host.start()));
  await acquainted(fleet.hosts);
  const [sender, receiver, third] = fleet.hosts as [Host, Host, Host];
  const ip = ipOf(receiver);
  let pushes = 0;
  const reaches = () =>
    eventually("it gets files again", async () => {
      fs.writeFileSync(path.join(sender.base, "file"), `push ${++pushes}`);
      const { status } = await sender.msync("-r");
      return status === 0 && (await sameTrees(sender, receiver)) === "";
    });
  const knows = (address: string) => async () =>
    (await sender.msync("--members")).stdout.includes(`host2 ${address} `);
  const isAway = async () => (await rowOf(receiver, "interface")).startsWith("eth0 (gone: ");
  const isBack = async () => /^eth0 \(10/.test(await rowOf(receiver, "interface"));
  const heard = async () => (await receiver.msync("--members")).stdout.includes("Total: 2");
  await reaches();

  await suite.test("another address", async () => {
    await ip("addr", "flush", "dev", "eth0");
    await ip("addr", "add", "10.77.0.42/24", "brd", "+", "dev", "eth0");
    await eventually("it is known by its new address", knows("10.77.0.42"));
    await reaches();
    await ip("addr", "flush", "dev", "eth0");
    await ip("addr", "add", "10.77.0.2/24", "brd", "+", "dev", "eth0");
    await eventually("it is known by its former address", knows("10.77.0.2"));
  });

  await suite.test("away and back", async () => {
    await ip("link", "set", "eth0", "down");
    await eventually("it is told", isAway);
    assert.match(await rowOf(receiver, "interface"), /^eth0 \(gone: the interface eth0 is down or has no/);
    await eventually("its members are lost", async () =>
      /^0 \(lost with the interface: .*host3 \(10.77.0.3\)/.test(await rowOf(receiver, "members")),
    );
    const { status, stderr } = await receiver.msync("-r");
    assert.equal(status, 4);
    assert.match(stderr, /there is no member to send to: the interface eth0 is down or has no IPv4 address/);
    await ip("link", "set", "eth0", "up");
    await eventually("it is back", isBack);
    await eventually("it has joined again", heard);
    await reaches();
  });

  await suite.test("deleted and made again at once, as a new interface under the same name", async () => {
    for (let round = 0; round < 2; round++) {
      await fleet.unplug(receiver);
      await fleet.plugAgain(receiver);
      // The former membership is gone with the interface.
      const igmp = () => receiver.run("cat", ["/proc/net/igmp"]);
      await eventually("it is a member again", async () => (await igmp()).stdout.includes("6C0000E0"));
      await eventually("it hears the others", heard);
      await reaches();
    }
  });

  await suite.test("the log has a line for each change", async () => {
    const { stdout, stderr } = await receiver.stop();
    const lines = `${stdout}${stderr}`.split("\n");
    const count = (text: string) => lines.filter((line) => line.includes(text)).length;
    assert.ok(count("the interface was made again, or had lost the group") >= 2, lines.join("\n"));
    assert.ok(count("the interface is away: the interface eth0 is down") >= 1);
    assert.equal(count(`${third.name} (${third.ip}) is out of reach: the interface`), 1);
    // No more lines than changes: a look that finds the same as before says nothing.
    assert.ok(count("joined the group again") <= 7, lines.join("\n"));
  });
});

test("the daemon finds the interface of its fleet", { skip }, async (suite) => {
  const fleet = await NamespaceFleet.create({ hosts: 3 });
  suite.after(() => fleet.destroy());
  const [sender, late, routed] = fleet.hosts as [Host, Host, Host];
  await sender.start();
  const isMember = (host: Host) =>
    eventually(`${host.name} is a member`, async () => {
      const { stdout } = await host.msync("--members");
      return stdout.includes("host1 10.77.0.1 ");
    });
  /** A network that nobody else is on. */
  const addStorage = async (host: Host) => {
    await ipOf(host)("link", "add", "san0", "type", "veth", "peer", "name", "san1");
    for (const name of ["san0", "san1"]) await ipOf(host)("link", "set", name, "up");
    await ipOf(host)("addr", "add", "10.78.0.5/24", "dev", "san0");
  };

  await suite.test("the main network comes up after another one", async () => {
    await ipOf(late)("addr", "flush", "dev", "eth0");
    await addStorage(late);
    await late.start();
    assert.equal(await rowOf(late, "interface"), "san0 (10.78.0.5)");
    await ipOf(late)("addr", "add", "10.77.0.2/24", "dev", "eth0");
    await ipOf(late)("route", "add", "default", "via", "10.77.0.1");
    await isMember(late);
    assert.equal(await rowOf(late, "interface"), "eth0 (10.77.0.2)");
  });

  await suite.test("the address moves to a bridge that the interface becomes a port of", async () => {
    const ip = ipOf(late);
    await ip("link", "add", "br0", "type", "bridge");
    await ip("addr", "flush", "dev", "eth0");
    await ip("link", "set", "eth0", "master", "br0");
    await ip("link", "set", "br0", "up");
    await ip("addr", "add", "10.77.0.2/24", "dev", "br0");
    await ip("route", "add", "default", "via", "10.77.0.1");
    await eventually("it uses the bridge", async () => (await rowOf(late, "interface")).startsWith("br0 "));
    await isMember(late);
  });

  await suite.test("the group has a route of its own beside the default route", async () => {
    await addStorage(routed);
    await ipOf(routed)("route", "add", "default", "via", "10.78.0.1");
    await ipOf(routed)("route", "add", "224.0.0.0/4", "dev", "eth0");
    await routed.start();
    assert.equal(await rowOf(routed, "interface"), "eth0 (10.77.0.3)");
    await isMember(routed);
    await routed.stop();
  });

  await suite.test("the setting names a network", async () => {
    await ipOf(routed)("route", "delete", "224.0.0.0/4");
    await routed.start("-i", "10.77.0.0/24");
    assert.equal(await rowOf(routed, "interface"), "eth0 (10.77.0.3)");
    await isMember(routed);
  });
});
