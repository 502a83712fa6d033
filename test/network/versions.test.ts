import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { buildFormerVersion, formerVersionProblem } from "../support/former-version.ts";
import { acquainted, DIST, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { eventually, firstOutput, must } from "../support/processes.ts";
import { makeFile, sameTrees } from "../support/trees.ts";

/** The executable of 2.0.0, which speaks version 2 of the protocol, beside that of today. */

const skip = (await namespaceProblem()) ?? (await formerVersionProblem());

let fleet: NamespaceFleet;
let former: string;
let key: string;

if (skip === undefined) {
  before(async () => {
    fleet = await NamespaceFleet.create({ hosts: 2 });
    const sources = path.join(fleet.directory, "2.0.0");
    fs.mkdirSync(sources);
    former = await buildFormerVersion(sources);
    key = path.join(fleet.directory, "key");
    await must(path.join(DIST, "msync"), ["--keygen", key]);
  });
  after(() => fleet.destroy());
}

const statusOf = async (host: Host, name: string) =>
  new RegExp(`^${name} : (.*)$`, "m").exec((await host.msync("--status")).stdout)?.[1];

const protocols = async (host: Host) => {
  const { stdout } = await host.msync("--members", "--json");
  const { members } = JSON.parse(stdout) as { members: { host: string; protocol: number }[] };
  return members.map((member) => `${member.host} ${member.protocol}`);
};

/** Pushes new contents that get smaller, compressed if possible; the number of bytes that were not sent. */
async function savedOf(sender: Host, ...others: readonly Host[]): Promise<number> {
  fs.writeFileSync(path.join(sender.base, "text"), `${performance.now()} `.repeat(100_000));
  const { status, stdout } = await sender.msync("-r", "--compress", "--json");
  assert.equal(status, 0);
  for (const other of others) assert.equal(await sameTrees(sender, other), "", other.name);
  const result = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as { savedBytes: number };
  return result.savedBytes;
}

test(
  "members of 2.0.0 and of today push to each other, while hosts are upgraded one by one",
  { skip },
  async (context) => {
    context.after(() => Promise.all(fleet.hosts.map((host) => host.stop())));
    const [one, two] = fleet.hosts as [Host, Host];
    const old = await fleet.addHost(former);
    const hosts = [one, two, old];
    // With a log of pushes on the first one.
    const state = path.join(fleet.directory, "state");
    fs.mkdirSync(state);
    const [ofOne, others] = [
      ["-k", key, "--state", state, "--undo", "5"],
      ["-k", key],
    ];
    await Promise.all(hosts.map((host) => host.start(...(host === one ? ofOne : others))));
    await acquainted(hosts);
    assert.deepEqual(await protocols(one), ["host2 3", "host3 2"]);
    for (const [number, sender] of hosts.entries()) {
      makeFile(path.join(sender.base, `from-${sender.name}`), 2_000_000 + number);
      assert.deepEqual(await sender.msync("-r"), { status: 0, stdout: "", stderr: "" }, sender.name);
      for (const other of hosts) assert.equal(await sameTrees(sender, other), "", sender.name);
    }
    // What deletes has the same terms in both versions, and a check of today has them, too.
    makeFile(path.join(one.base, "kept"), 1_000);
    assert.equal((await one.msync("-r")).status, 0);
    for (const sender of hosts) {
      fs.rmSync(path.join(sender.base, `from-${sender.name}`));
      assert.deepEqual(
        await sender.msync("-r", "--delete"),
        { status: 0, stdout: "", stderr: "" },
        sender.name,
      );
      for (const other of hosts) assert.equal(await sameTrees(sender, other), "", sender.name);
      for (const options of [[], ["--delete"]]) {
        const { status, stderr } = await sender.msync("-r", "--check", ...options);
        assert.deepEqual([status, stderr], [0, ""], `${sender.name} ${options.join(" ")}`);
      }
    }
    // 2.0.0 does not know compressed contents either, so it gets none even if they are asked for.
    assert.equal(await savedOf(one, two, old), 0);
    // 2.0.0 does not know the message KEYS, counts it and ignores it.
    for (const host of [one, two]) assert.equal(await statusOf(host, "malformed packets"), "0", host.name);
    for (const host of [one, two]) assert.equal(await statusOf(host, "problem"), undefined);

    // Without a log of pushes, nobody can say what a host lacks.
    const { status, stderr } = await one.msync("--catch-up", "host3");
    assert.equal(status, 3);
    assert.match(stderr, /^error: host3 has told no log of pushes, so it does not catch up: /);
    assert.match(
      (await two.msync("--catch-up", "host1")).stderr,
      /^error: this host keeps no log of pushes, because its state directory cannot be written /,
    );

    // 2.0.0 keeps nothing of what a push replaces.
    const undo = await one.msync("--undo");
    assert.equal(undo.status, 6);
    assert.match(undo.stderr, /^error: host3 cannot take a push back, because makuosan is too old there: /m);

    await old.stop();
    const upgraded = await fleet.addHost();
    await upgraded.start("-k", key);
    await acquainted([one, two, upgraded]);
    assert.deepEqual(await protocols(one), ["host2 3", "host4 3"]);
    assert.deepEqual(await one.msync("-r"), { status: 0, stdout: "", stderr: "" });
    assert.equal(await sameTrees(one, upgraded), "");
    assert.ok((await savedOf(one, two, upgraded)) > 1_000_000);
  },
);

/** Passes on everything that comes from one of two addresses to the other, from its own address. */
const RELAY = `
const dgram = require("node:dgram");
const [own, one, other] = process.argv.slice(1);
const socket = dgram.createSocket({ type: "udp4", reuseAddr: true });
const group = dgram.createSocket({ type: "udp4", reuseAddr: true });
const pass = (bytes, { address }) => {
  const to = address === one ? other : address === other ? one : undefined;
  if (to !== undefined) socket.send(bytes, 5000, to);
};
socket.on("message", pass);
group.on("message", pass);
socket.bind(5000, own, () => group.bind(5000, "224.0.0.108", () => {
  group.addMembership("224.0.0.108", own);
  console.log("passing on");
}));`;

/** Two hosts that do not hear each other, and a third one that passes on what they say. */
async function startRelay(one: Host, other: Host, relay: Host): Promise<ChildProcess> {
  for (const [host, deafTo] of [
    [one, other],
    [other, one],
  ] as const) {
    const rule = `table ip deaf { chain input { type filter hook input priority 0; ip saddr ${deafTo.ip} drop; }; }`;
    assert.equal((await host.run("nft", ["-f", "-"], { input: rule })).status, 0);
  }
  const [program = "", ...args] = relay.command(process.execPath, ["-e", RELAY, relay.ip, one.ip, other.ip]);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  await firstOutput(child);
  return child;
}

for (const version of ["2.0.0", "today"] as const) {
  const result =
    version === "2.0.0" ? "is taken for the member" : "is not taken for the member, and is named";
  test(`a stranger who passes the handshake on ${result}: ${version}`, { skip }, async (context) => {
    const programs = version === "2.0.0" ? former : undefined;
    const [one, other, relay] = [
      await fleet.addHost(programs),
      await fleet.addHost(programs),
      await fleet.addHost(),
    ];
    context.after(() => Promise.all([one, other].map((host) => host.stop())));
    const child = await startRelay(one, other, relay);
    context.after(() => child.kill());
    await Promise.all([one, other].map((host) => host.start("-k", key)));
    const members = async () => (await one.msync("--members")).stdout;
    if (version === "2.0.0") {
      await eventually("the stranger is a member", async () =>
        (await members()).startsWith(`${other.name} ${relay.ip} `),
      );
    } else {
      const says = `${other.name} (${relay.ip}) says that it sends from ${other.ip}: networks that translate`;
      await eventually("the stranger is named", async () =>
        ((await statusOf(one, "problem")) ?? "").startsWith(says),
      );
      assert.match(await members(), /^Total: 0 members\nproblem: /);
      const { status, stderr } = await one.msync("-r");
      assert.equal(status, 4);
      assert.match(stderr, /^error: there is no member to send to: host\d+ \(.*\) says that it sends from /);
    }
  });
}
