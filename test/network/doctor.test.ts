import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { DoctorFinding } from "../../src/console/protocol.ts";
import { acquainted, DIST, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { OTHER_VERSION } from "../support/other-version.ts";
import { eventually, must } from "../support/processes.ts";

/** msync --doctor names each fault that is made on purpose, with the host, and nothing where all is well. */

const skip = await namespaceProblem();

interface Examined {
  readonly status: number | null;
  readonly findings: readonly DoctorFinding[];
  /** The checks that found a problem, with their hosts, such as "host2 loss". */
  readonly problems: readonly string[];
  readonly hints: readonly string[];
}

async function examine(host: Host, ...hosts: string[]): Promise<Examined> {
  const { status, stdout, stderr } = await host.msync("--doctor", "--json", ...hosts);
  assert.equal(stderr, "");
  const { findings, exitStatus } = JSON.parse(stdout) as { findings: DoctorFinding[]; exitStatus: number };
  assert.equal(status, exitStatus);
  const named = (level: string) =>
    findings.filter((one) => one.level === level).map((one) => `${one.host} ${one.check}`);
  return { status, findings, problems: named("problem"), hints: named("hint") };
}

/** The one problem, which must be this one. */
async function onlyProblem(host: Host, expected: string, ...hosts: string[]): Promise<DoctorFinding> {
  const { status, problems, findings } = await examine(host, ...hosts);
  assert.deepEqual([status, problems], [1, [expected]]);
  const [problem] = findings.filter(({ level }) => level === "problem") as [DoctorFinding];
  assert.notEqual(problem.mend, "");
  return problem;
}

/** What a test does while there are these rules. Without them the tests after it are about their own faults. */
async function withRules(host: Host, hook: string, lines: readonly string[], then: () => Promise<void>) {
  const chain = `type filter hook ${hook} priority 0;\n${lines.join("\n")}`;
  const input = `table ip fault {\n chain fault {\n${chain}\n }\n}\n`;
  assert.equal((await host.run("nft", ["-f", "-"], { input })).status, 0);
  try {
    await then();
  } finally {
    await host.run("nft", ["delete", "table", "ip", "fault"]);
  }
}

test("faults between hosts that know each other", { skip }, async (suite) => {
  const fleet = await NamespaceFleet.create({ hosts: 3, tmpfs: "16m" });
  suite.after(() => fleet.destroy());
  const key = path.join(fleet.directory, "key");
  await must(path.join(DIST, "msync"), ["--keygen", key]);
  await Promise.all(fleet.hosts.map((host) => host.start("-k", key)));
  await acquainted(fleet.hosts);
  const [one, other, third] = fleet.hosts as [Host, Host, Host];

  await suite.test("nothing is in the way of a healthy fleet", async () => {
    const { status, problems, findings } = await examine(one);
    assert.deepEqual([status, problems], [0, []]);
    const checks = (host: string) => findings.filter((it) => it.host === host).map(({ check }) => check);
    const expected = ["unicast", "round-trip", "multicast-out", "multicast-in", "long-datagrams", "loss"];
    for (const host of ["host2", "host3"])
      for (const check of [
        ...expected,
        "base",
        "space",
        "inodes",
        "clock",
        "version",
        "key",
        "receive-buffer",
      ])
        assert.ok(checks(host).includes(check), `${host} ${check}`);
    for (const check of ["service", "interface", "group", "route", "mtu", "querier", "send-buffer", "key"])
      assert.ok(checks("host1").includes(check), check);
    const trip = findings.find(({ check }) => check === "round-trip");
    assert.ok(Number(trip?.values["leastMs"]) > 0);
    const quiet = await one.msync("--doctor");
    assert.doesNotMatch(quiet.stdout, /^ok /m);
    assert.match(quiet.stdout, /^Total: \d+ checks of 3 hosts, nothing is in the way$/m);
    await withRules(one, "input", ["udp dport 5000 accept"], async () => {
      const { stdout } = await one.msync("--doctor", "-v");
      assert.match(stdout, /^ok host1 \(10\.77\.0\.1\) firewall: nftables on this host lets UDP 5000 in$/m);
      assert.match(stdout, /^Total: \d+ checks of 3 hosts, nothing is in the way$/m);
    });
    const verbose = await one.msync("--doctor", "-v", "host2");
    assert.match(verbose.stdout, /^ok host2 \(10\.77\.0\.2\) loss: /m);
    assert.doesNotMatch(verbose.stdout, /host3/);
  });

  await suite.test("the group does not arrive at a host", async () => {
    await withRules(other, "input", ["ip daddr 224.0.0.108 drop"], async () => {
      const { text } = await onlyProblem(one, "host2 multicast-out");
      assert.match(text, /^0 of 40 packets from host1 to the group arrive there/);
      assert.equal((await onlyProblem(one, "host2 multicast-out", "host2")).address, "10.77.0.2");
    });
  });

  await suite.test("what a host sends to the group does not arrive here", async () => {
    await withRules(other, "output", ["ip daddr 224.0.0.108 drop"], async () => {
      const { values } = await onlyProblem(one, "host2 multicast-in");
      assert.deepEqual(values, { arrived: 0, sent: 10 });
    });
  });

  await suite.test("long packets are dropped on the way, without a word", async () => {
    await withRules(other, "input", ["meta length > 1300 drop"], async () => {
      await onlyProblem(one, "host2 long-datagrams");
    });
  });

  await suite.test("packets are lost", async () => {
    await fleet.lose(third, 25);
    try {
      const { problems } = await examine(one, "host3");
      assert.ok(problems.includes("host3 loss"), problems.join(", "));
    } finally {
      await fleet.loseNothing(third);
    }
  });

  await suite.test(
    "the network breaks during the examination: what was said before counts for nothing",
    async () => {
      // The answers to the first questions pass, those to the last do not.
      const few = "ip daddr 10.77.0.1 limit rate over 1/hour burst 4 packets drop";
      await withRules(third, "output", [few], async () => {
        const { problems } = await examine(one, "host3");
        assert.deepEqual(problems, ["host3 loss"]);
      });
    },
  );

  await suite.test("two examinations at the same time", async () => {
    const both = await Promise.all([examine(one), examine(one)]);
    assert.deepEqual(
      both.map(({ problems }) => problems),
      [[], []],
    );
  });

  await suite.test(
    "a firewall refuses the port: the host is silent, and there its rule is named",
    async () => {
      await withRules(other, "input", ["udp dport 5000 reject"], async () => {
        await onlyProblem(one, "host2 unicast", "host2");
        const { problems, findings } = await examine(other);
        assert.ok(problems.includes("host2 firewall"), problems.join(", "));
        const { text = "", mend = "" } = findings.find(({ check }) => check === "firewall") ?? {};
        assert.match(text, /^nftables on this host has a rule that refuses UDP 5000: udp dport 5000 reject/);
        // The rule stays: the command has to put its own in front of it.
        const [, command = ""] = /^take that rule away, or: (nft .*)$/.exec(mend) ?? [];
        assert.equal((await other.run("sh", ["-c", command])).status, 0, mend);
        assert.deepEqual((await examine(one, "host2")).problems, []);
      });
    },
  );

  await suite.test("a route leads elsewhere", async () => {
    await one.run("ip", ["link", "add", "wrong0", "type", "veth", "peer", "name", "wrong1"]);
    for (const end of ["wrong0", "wrong1"]) await one.run("ip", ["link", "set", end, "up"]);
    try {
      await one.run("ip", ["route", "add", "10.77.0.3/32", "dev", "wrong0"]);
      const { problems, findings } = await examine(one, "host3");
      assert.ok(problems.includes("host3 route"), problems.join(", "));
      assert.match(
        findings.find(({ check, host }) => check === "route" && host === "host3")?.text ?? "",
        /wrong0/,
      );
      await one.run("ip", ["route", "add", "224.0.0.0/4", "dev", "wrong0"]);
      const { hints } = await examine(one);
      assert.ok(hints.includes("host1 route"), "and the group's route is another interface");
    } finally {
      await one.run("ip", ["link", "delete", "wrong0"]);
    }
  });

  await suite.test("the disk is full", async () => {
    const file = path.join(other.base, "large");
    assert.equal((await other.run("sh", ["-c", "dd if=/dev/zero of=/var/www/large bs=64k; true"])).status, 0);
    try {
      const { problems } = await examine(one, "host2");
      assert.deepEqual(problems, ["host2 base", "host2 space"]);
    } finally {
      fs.rmSync(file);
    }
  });

  await suite.test("the base directory is read-only", async () => {
    await other.run("mount", ["-o", "remount,bind,ro", "/var/www"]);
    try {
      await onlyProblem(one, "host2 base");
      await onlyProblem(other, "host2 base");
    } finally {
      await other.run("mount", ["-o", "remount,bind,rw", "/var/www"]);
    }
  });

  await suite.test("a host stands still", async () => {
    other.kill("SIGSTOP");
    try {
      await onlyProblem(one, "host2 unicast");
    } finally {
      other.kill("SIGCONT");
    }
  });

  await suite.test("a host is not there at all", async () => {
    await onlyProblem(one, "host9 absent", "host9");
  });

  await suite.test("a host has another key", async () => {
    const wrong = path.join(fleet.directory, "wrong");
    await must(path.join(DIST, "msync"), ["--keygen", wrong]);
    await third.stop();
    await third.start("-k", wrong);
    await eventually("its packets are noticed", async () => (await examine(one)).problems.length > 0);
    const { text } = await onlyProblem(one, "10.77.0.3 foreign-key");
    assert.match(text, /packets under another key from 10\.77\.0\.3/);
    await third.stop();
  });

  await suite.test("a host speaks another version", async () => {
    const args = ["-e", OTHER_VERSION, third.ip, "4", key];
    assert.equal((await third.run(process.execPath, args)).status, 0);
    const { problems } = await examine(one);
    assert.ok(problems.includes("newer other-version"), problems.join(", "));
  });

  await suite.test("the interface is away", async () => {
    await other.run("ip", ["link", "set", "eth0", "down"]);
    try {
      await eventually("the daemon notices", async () =>
        (await examine(other)).problems.includes("host2 interface"),
      );
      const { problems } = await examine(other);
      assert.ok(problems.includes("host2 interface"));
    } finally {
      await other.run("ip", ["link", "set", "eth0", "up"]);
    }
  });

  await suite.test("no daemon runs", async () => {
    await other.stop();
    const { stdout, status } = await other.msync("--doctor");
    assert.equal(status, 1);
    assert.match(stdout, /^problem host2 service: /m);
  });
});

test("a host that is heard and does not answer, and a fleet of one", { skip }, async (suite) => {
  const fleet = await NamespaceFleet.create({ hosts: 2 });
  suite.after(() => fleet.destroy());
  const [one, closed] = fleet.hosts as [Host, Host];
  await one.start();
  await suite.test("there is no other member", async () => {
    await onlyProblem(one, "host1 members");
  });
  await suite.test("its firewall lets only answers in", async () => {
    const chain =
      "type filter hook input priority 0;\nct state established,related accept\nmeta l4proto udp drop";
    const input = `table inet filter {\n chain input {\n${chain}\n }\n}\n`;
    assert.equal((await closed.run("nft", ["-f", "-"], { input })).status, 0);
    await closed.start();
    await eventually("it is noticed", async () => (await examine(one)).problems.includes("host2 unanswered"));
    const { problems, findings } = await examine(one, "host2");
    assert.ok(problems.includes("host2 unanswered"), problems.join(", "));
    const { mend = "" } = findings.find(({ check }) => check === "unanswered") ?? {};
    const [, command = ""] = /'(nft [^']+)'/.exec(mend) ?? [];
    assert.equal((await closed.run("sh", ["-c", command])).status, 0, mend);
    await eventually("nothing is in the way", async () => (await examine(one)).problems.length === 0);
  });
});

test("a clone, and two hosts of one name", { skip }, async (suite) => {
  const fleet = await NamespaceFleet.create({ hosts: 2 });
  suite.after(() => fleet.destroy());
  const [original, clone] = fleet.hosts as [Host, Host];
  const states = fleet.hosts.map((host) => {
    const directory = path.join(fleet.directory, `${host.name}-state`);
    fs.mkdirSync(directory);
    host.environment = { STATE_DIRECTORY: directory };
    return directory;
  }) as [string, string];
  await original.start("--name", "web");
  fs.copyFileSync(path.join(states[0], "node-id"), path.join(states[1], "node-id"));
  await clone.start("--name", "web");
  await acquainted(fleet.hosts);
  const idOf = (directory: string) => fs.readFileSync(path.join(directory, "node-id"), "latin1").slice(0, 32);
  await eventually("the ids differ", () => idOf(states[0]) !== idOf(states[1]));
  const texts = [];
  for (const host of fleet.hosts)
    for (const { check, level, text } of (await examine(host)).findings)
      if (check === "clone" && level === "hint") texts.push(text);
  assert.ok(
    texts.some((text) => /is a copy of this host, with the same machine-id/.test(text)),
    texts.join("\n"),
  );
  assert.ok(texts.some((text) => /^2 hosts are called web: this host, 10\.77\.0\./.test(text)));
});
