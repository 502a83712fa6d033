import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { eventually, firstOutput, must, sleep } from "../support/processes.ts";
import { makeFile } from "../support/trees.ts";
import { knock } from "./knock.ts";

/** A daemon hears its own interface and nothing else, even if other processes of its host join elsewhere. */

const skip = await namespaceProblem();

/** HELLO is repeated for 3 s after a start: by then all have been heard. */
const HELLO_MS = 3_500;

/** The process that holds the namespaces of a host. */
const holderOf = (host: Host) => host.command("true", [])[2] ?? "";

/** Puts a cable between two hosts: a network of its own, over the interface eth1 of both. */
async function connect(one: Host, other: Host): Promise<void> {
  const ends = ["eth1", "netns", holderOf(one), "type", "veth", "peer", "name", "eth1", "netns"];
  await must("ip", ["link", "add", ...ends, holderOf(other)]);
  for (const [host, ip] of [
    [one, "10.78.0.1"],
    [other, "10.78.0.4"],
  ] as const) {
    await host.run("ip", ["addr", "add", `${ip}/24`, "dev", "eth1"]);
    await host.run("ip", ["link", "set", "eth1", "up"]);
  }
  for (const host of [one, other]) {
    await eventually(`eth1 of ${host.name} is up`, async () =>
      (await host.run("ip", ["link", "show", "eth1"])).stdout.includes("LOWER_UP"),
    );
  }
  // The other one knows a way back to every address of the first.
  await other.run("ip", ["addr", "flush", "dev", "eth0"]);
  await other.run("ip", ["route", "add", "default", "via", "10.78.0.1"]);
}

/** A process of a host that is a member of the group on one of its interfaces, on another port. */
async function joinOn(host: Host, ip: string): Promise<ChildProcess> {
  const script = `const s = require("node:dgram").createSocket("udp4");
    s.bind(6000, () => { s.addMembership("224.0.0.108", ${JSON.stringify(ip)}); console.log("joined"); });`;
  const [program = "", ...args] = host.command(process.execPath, ["-e", script]);
  const joined = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  await firstOutput(joined);
  return joined;
}

const memberCount = async (host: Host) => /Total: (\d+)/.exec((await host.msync("--members")).stdout)?.[1];
const outside = async (host: Host) =>
  Number(/^outside packets : (\d+)$/m.exec((await host.msync("--status")).stdout)?.[1]);

for (const environment of [{}, { MAKUOSAN_WITHOUT_FFI: "1" }]) {
  const name = "MAKUOSAN_WITHOUT_FFI" in environment ? "without the library" : "with the library";

  test(`two fleets on two interfaces of a host do not meet, ${name}`, { skip }, async (suite) => {
    const [inner, outer] = [
      await NamespaceFleet.create({ hosts: 2 }),
      await NamespaceFleet.create({ hosts: 1 }),
    ];
    suite.after(() => Promise.all([inner.destroy(), outer.destroy()]));
    const [both, fellow] = inner.hosts as [Host, Host];
    const [foreigner] = outer.hosts as [Host];
    await connect(both, foreigner);
    // On one host, a process that has joined on the other interface opens the door for all sockets of the group.
    const joined = await joinOn(both, "10.78.0.1");
    suite.after(() => joined.kill());
    for (const host of [both, fellow, foreigner]) host.environment = environment;
    await Promise.all([both.start("-i", "eth0"), fellow.start(), foreigner.start("-i", "eth1")]);
    await acquainted([both, fellow]);

    await suite.test("nobody of one is a member of the other", async () => {
      await sleep(HELLO_MS);
      assert.deepEqual([await memberCount(both), await memberCount(foreigner)], ["1", "0"]);
    });

    await suite.test("a push of one changes nothing in the other", async () => {
      makeFile(path.join(foreigner.base, "evil"), 100_000);
      assert.equal((await foreigner.msync("-r")).status, 4);
      makeFile(path.join(fellow.base, "good"), 100_000);
      assert.equal((await fellow.msync("-r")).status, 0);
      const { stdout } = await both.run("ls", [both.innerBase]);
      assert.equal(stdout, "good\n");
    });

    await suite.test(
      "what is sent to the address of one interface over the other is not answered",
      async () => {
        await foreigner.stop();
        assert.equal(await knock(foreigner, "10.78.0.4", "10.77.0.1"), "silence");
        assert.equal(await knock(fellow, "10.77.0.2", "10.77.0.1", 6001), "silence", "from another port");
        await fellow.stop();
        const isAnswered = async () => (await knock(fellow, "10.77.0.2", "10.77.0.1")) === "answered";
        await eventually("a knock can be answered", isAnswered);
      },
    );
  });
}

test("the loopback network of a host and its other networks do not meet", { skip }, async (suite) => {
  const fleet = await NamespaceFleet.create({ hosts: 2 });
  suite.after(() => fleet.destroy());
  const [host, fellow] = fleet.hosts as [Host, Host];
  const joined = await joinOn(host, "127.0.0.1");
  suite.after(() => joined.kill());

  await suite.test("a daemon on an interface does not answer 127.0.0.x", async () => {
    await host.start();
    assert.equal(await knock(host, "127.0.0.9", "10.77.0.1"), "silence");
    assert.equal(await outside(host), 3, "they are counted");
    assert.equal(await knock(host, "127.0.0.9", "224.0.0.108"), "silence");
    assert.equal(await knock(fellow, "10.77.0.2", "10.77.0.1"), "answered");
    await host.stop();
  });

  await suite.test("a daemon on 127.0.0.x does not answer other addresses", async () => {
    await host.start("-i", "127.0.0.2");
    assert.equal(await knock(host, "10.77.0.1", "127.0.0.2"), "silence");
    assert.equal(await outside(host), 3);
    assert.equal(await knock(host, "127.0.0.9", "127.0.0.2"), "answered");
    await host.stop();
  });
});
