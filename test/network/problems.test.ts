import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { acquainted, DIST, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { OTHER_VERSION } from "../support/other-version.ts";
import { eventually, must, type Finished } from "../support/processes.ts";
import { makeFile } from "../support/trees.ts";

/** Hosts that are heard and are no members are named: in the log, the status, the list of members, and by a push. */

const skip = await namespaceProblem();

/** A node says ALIVE every 20 s at the latest; then it is asked, and may not answer at first. */
const ALIVE_MS = 25_000;

const problemsOf = async (host: Host) =>
  [...(await host.msync("--status")).stdout.matchAll(/^problem : (.*)$/gm)].map(([, sentence]) => sentence);

async function named(host: Host, sentence: RegExp, mostMs = ALIVE_MS): Promise<void> {
  await eventually(
    `${host.name} names ${sentence.source}`,
    async () => (await problemsOf(host)).some((one) => sentence.test(one ?? "")),
    mostMs,
  );
  const { stdout } = await host.msync("--members");
  assert.match(stdout, new RegExp(`^problem: ${sentence.source}`, "m"));
}

/** The sentences of the log that match. */
const logged = ({ stdout, stderr }: Finished, sentence: RegExp) =>
  `${stdout}${stderr}`.split("\n").filter((line) => sentence.test(line));

async function rules(host: Host, ...lines: string[]): Promise<void> {
  const chain = `type filter hook input priority 0;\n${lines.join("\n")}`;
  const input = `table ip closed {\n chain input {\n${chain}\n }\n}\n`;
  assert.equal((await host.run("nft", ["-f", "-"], { input })).status, 0);
}

interface Obstacle {
  readonly name: string;
  readonly build: (host: Host) => Promise<void>;
  readonly remove: (host: Host) => Promise<unknown>;
}

const openAgain = (host: Host) => host.run("nft", ["delete", "table", "ip", "closed"]);

const OBSTACLES: readonly Obstacle[] = [
  {
    name: "a firewall that lets only answers in",
    build: (host) => rules(host, "ct state established,related accept", "meta l4proto udp drop"),
    remove: openAgain,
  },
  {
    name: "a firewall that rejects",
    build: (host) => rules(host, "udp dport 5000 reject"),
    remove: openAgain,
  },
  {
    name: "a route that leads nowhere",
    build: async (host) => {
      await host.run("ip", ["route", "add", "blackhole", "10.77.0.1/32"]);
    },
    remove: (host) => host.run("ip", ["route", "del", "blackhole", "10.77.0.1/32"]),
  },
];

for (const { name, build, remove } of OBSTACLES) {
  test(`a host behind ${name} is named, until it is a member`, { skip }, async (context) => {
    const fleet = await NamespaceFleet.create({ hosts: 3 });
    context.after(() => fleet.destroy());
    const [sender, member, closed] = fleet.hosts as [Host, Host, Host];
    await build(closed);
    await Promise.all(fleet.hosts.map((host) => host.start()));
    const sentence = /host3 \(10\.77\.0\.3\) is heard but does not answer: is UDP 5000 let in there\?/;
    await named(sender, sentence);
    makeFile(path.join(sender.base, "file"), 1000);
    const all = await sender.msync("-r");
    assert.deepEqual(
      [all.status, all.stderr],
      [
        3,
        "error: host3 (10.77.0.3) is heard but does not answer: is UDP 5000 let in there? If not, run " +
          "'ufw allow 5000/udp', 'firewall-cmd --add-port=5000/udp && firewall-cmd --permanent --add-port=5000/udp', " +
          "or for nftables 'nft insert rule inet filter input udp dport 5000 accept'\n",
      ],
    );
    assert.equal((await sender.msync("-r", "-t", "host3")).status, 3, "it is named by its name");
    assert.equal((await sender.msync("-r", "-t", "host2")).status, 0, "it is not meant");
    assert.equal((await sender.msync("-r", "--except", "10.77.0.3")).status, 0, "it is left out");
    assert.equal((await sender.msync("-r", "--all-or-nothing")).status, 6);
    const json = JSON.parse((await sender.msync("--members", "--json")).stdout) as {
      problems: { kind: string; address: string; host: string }[];
    };
    assert.deepEqual(
      json.problems.map(({ kind, address, host }) => ({ kind, address, host })),
      [{ kind: "unanswered", address: "10.77.0.3", host: "host3" }],
    );

    await remove(closed);
    await eventually(
      "host3 is a member",
      async () => (await sender.msync("--members")).stdout.includes("Total: 2 members"),
      ALIVE_MS,
    );
    assert.deepEqual(await problemsOf(sender), []);
    assert.equal((await sender.msync("-r")).status, 0);
    const log = await sender.stop();
    assert.equal(logged(log, new RegExp(`^${sentence.source} If not, `)).length, 1, "its beginning");
    assert.equal(logged(log, new RegExp(`^no longer: ${sentence.source} If not, `)).length, 1, "its end");
    await member.stop();
  });
}

test(
  "a host with another key is named on both sides, until it has the right one",
  { skip },
  async (context) => {
    const fleet = await NamespaceFleet.create({ hosts: 2 });
    context.after(() => fleet.destroy());
    const [one, other] = fleet.hosts as [Host, Host];
    const keys = ["key", "other-key"].map((name) => path.join(fleet.directory, name)) as [string, string];
    for (const key of keys) await must(path.join(DIST, "msync"), ["--keygen", key]);
    await one.start("-k", keys[0]);
    await other.start("-k", keys[1]);
    await named(one, /\d+ packets under another key from 10\.77\.0\.2: is its key file that of this fleet\?/);
    await named(other, /\d+ packets under another key from 10\.77\.0\.1: /);
    const { status, stderr } = await one.msync("-r");
    assert.equal(status, 4);
    assert.match(
      stderr,
      /^error: there is no member to send to: \d+ packets under another key from 10\.77\.0\.2: /,
    );
    await other.stop();
    await other.start("-k", keys[0]);
    await acquainted([one, other]);
    assert.deepEqual(await problemsOf(one), []);
    const log = await one.stop();
    assert.equal(logged(log, /packets under another key from 10\.77\.0\.2/).length, 2);
  },
);

test(
  "a host that speaks another version of the protocol is named, and a push says so",
  { skip },
  async (context) => {
    const fleet = await NamespaceFleet.create({ hosts: 3 });
    context.after(() => fleet.destroy());
    const [sender, member, other] = fleet.hosts as [Host, Host, Host];
    const key = path.join(fleet.directory, "key");
    await must(path.join(DIST, "msync"), ["--keygen", key]);
    await Promise.all([sender, member].map((host) => host.start("-k", key)));
    await acquainted([sender, member]);
    const say = async (version: string, keyFile: string) => {
      const { status, stderr } = await other.run(process.execPath, [
        ...["-e", OTHER_VERSION],
        ...[other.ip, version, keyFile],
      ]);
      assert.equal(status, 0, stderr);
    };

    await say("4", "none");
    await named(sender, /host at 10\.77\.0\.3 speaks version 4 of the protocol, under another key; upgrade/);
    makeFile(path.join(sender.base, "file"), 1000);
    assert.deepEqual(await sender.msync("-r"), { status: 0, stdout: "", stderr: "" }, "anybody can say that");
    assert.equal((await sender.msync("-r", "-t", "10.77.0.3")).status, 3, "but it was asked for");

    await say("4", key);
    await named(
      sender,
      /newer at 10\.77\.0\.3 speaks version 4 of the protocol; upgrade makuosan on this host/,
    );
    const { status, stderr } = await sender.msync("-r");
    assert.equal(status, 3);
    assert.equal(
      stderr,
      "error: newer at 10.77.0.3 speaks version 4 of the protocol; upgrade makuosan on this host\n",
    );
    assert.equal((await sender.msync("-r", "--except", "newer")).status, 0);
    assert.match((await sender.msync("--status")).stdout, /^malformed packets : 0$/m);

    await say("1", key);
    await named(sender, /newer at 10\.77\.0\.3 speaks version 1 of the protocol; upgrade makuosan there/);
  },
);
