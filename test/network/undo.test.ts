import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { shell } from "../support/command-scenarios.ts";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";
import {
  allLook,
  becomesReady,
  fleetOf,
  lastSent,
  lastUndo,
  look,
  msync,
  start,
  type Three,
} from "./undo-fleet.ts";

const skip = await namespaceProblem();

/** Pushes are taken back on all hosts, as their users see it. */

/** Three states of a tree: everything that a push can do happens between them. */
async function pushThree(one: Host): Promise<[string, string, string]> {
  await shell(
    one,
    "mkdir -p d/gone/deep && echo 1 > d/f && echo g > d/gone/deep/g && echo t > d/type && echo s > d/same",
  );
  await msync(one, "-r", "--delete", "d");
  const first = await look(one);
  await shell(
    one,
    "echo 22 > d/f && rm -r d/gone && rm d/type && mkdir d/type && echo t > d/type/t && echo n > d/new && chmod 700 d",
  );
  await msync(one, "-r", "--delete", "d");
  const second = await look(one);
  await shell(
    one,
    "echo 333 > d/f && rm d/new && ln -s f d/link && mkdir d/fresh && cd d/fresh && touch x $(seq 120)",
  );
  await msync(one, "-r", "--delete", "d");
  return [first, second, await look(one)];
}

/** Two states of a small tree. */
async function pushTwo(one: Host): Promise<[string, string]> {
  await shell(one, "mkdir d && echo 1 > d/f");
  await msync(one, "-r", "d");
  const first = await look(one);
  await shell(one, "echo 22 > d/f && echo n > d/new");
  await msync(one, "-r", "d");
  return [first, await look(one)];
}

test(
  "the last pushes are taken back one after the other, and brought again, on the host that has pushed as well",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two] = fleet.hosts as Three;
    const [first, second, third] = await pushThree(one);
    await allLook(fleet.hosts, third);
    assert.match(await msync(one, "--undo"), /^push [0-9a-f]{16}-3 is taken back$/m);
    await allLook(fleet.hosts, second);
    const undo = await lastSent(one);
    assert.match(await msync(one, "--undo"), /^push [0-9a-f]{16}-2 is taken back$/m);
    await allLook(fleet.hosts, first);
    // The other one first: it came later.
    const refused = await two.msync("--undo", undo);
    assert.equal(refused.status, 6);
    assert.match(refused.stderr, /came after push .*take that back first with 'msync --undo [0-9a-f]{16}-5'/);
    await msync(two, "--undo", await lastSent(one));
    await allLook(fleet.hosts, second);
    await msync(two, "--undo", undo);
    await allLook(fleet.hosts, third);
    assert.match(await msync(two, "--history"), /sent .*: 3 of 3 done \(undo of [0-9a-f]{16}-4\)/);
    assert.equal(await msync(two, "--check", "-r", "--delete", "d"), "");
    // Single paths of a directory that stays.
    await shell(one, "echo 4444 > d/f && mkdir d/more && echo y > d/more/y");
    await msync(one, "-r", "d/f", "d/more");
    await msync(one, "--undo");
    // What is taken back on one host alone is not in the logs of the others at once.
    await shell(one, "echo o > d/only");
    await msync(one, "-t", "host2", "d/only");
    assert.match(await msync(one, "--undo"), /^push [0-9a-f]{16}-\d+ is taken back$/m);
    assert.equal((await two.run("ls", ["/var/www/d/only"])).status, 2);
    assert.match(await msync(one, "--undo"), /^push [0-9a-f]{16}-\d+ is taken back$/m);
    await eventually(
      "all are current",
      async () => ((await msync(one, "--members", "-v")).match(/, current$/gm) ?? []).length === 2,
    );
  },
);

test(
  "in a fleet of two, the host that has received a push takes it back, and its own files come back with it",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(2);
    context.after(() => fleet.destroy());
    const [one, two] = fleet.hosts as [Host, Host];
    await pushTwo(one);
    await shell(two, "echo own > d/own && echo edited > d/new && chmod 600 d/new");
    const former = await look(two);
    await shell(one, "echo 333 > d/f && echo pushed > d/own && echo pushed > d/new");
    await msync(one, "-r", "d");
    // An edit since the push, which taking it back replaces.
    await shell(two, "echo since > d/f");
    const since = await look(two);
    assert.match(await msync(two, "--undo"), /^push [0-9a-f]{16}-3 is taken back$/m);
    await allLook(fleet.hosts, former);
    await msync(two, "--undo", await lastUndo(two));
    assert.equal(await look(two), since);
    // A push to this host alone: no other one takes part.
    await shell(one, "echo 4444 > d/f");
    await msync(one, "-t", "host2", "d/f");
    await msync(two, "--undo");
    assert.equal(await look(two), since);
    assert.equal((await one.run("cat", ["/var/www/d/f"])).stdout, "4444\n");
  },
);

test(
  "a host that is killed while it takes a push back leaves all hosts as they were, and has its part in the next undo",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(2);
    context.after(() => fleet.destroy());
    const [one, two] = fleet.hosts as [Host, Host];
    // So many files that the area of the killed undo is not removed within a moment.
    const write = (text: string) =>
      shell(one, `mkdir -p d && for i in $(seq 400); do echo ${text} > d/$i; done`);
    await write("1");
    await msync(one, "-r", "d");
    const first = await look(one);
    await write("22");
    await msync(one, "-r", "d");
    const second = await look(one);
    one.kill("SIGSTOP");
    const undo = two.msync("--undo");
    await becomesReady(two, 1);
    await two.stop("SIGKILL");
    one.kill("SIGCONT");
    assert.equal((await undo).status, 2);
    await start(fleet, two);
    await acquainted(fleet.hosts);
    await allLook(fleet.hosts, second);
    await msync(two, "--undo");
    await allLook(fleet.hosts, first);
  },
);

test(
  "a host that keeps nothing any more is named, and nobody switches; one that was away gets the undo by itself",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as Three;
    const [first, second] = await pushTwo(one);
    await shell(three, "mv .makuosan/undo-*-2 ..");
    const { status, stderr } = await two.msync("--undo");
    assert.equal(status, 6);
    assert.match(
      stderr,
      /^error: nothing was changed anywhere: host3: it no longer keeps what it had before push \S+-2: .*undo-size/m,
    );
    await allLook(fleet.hosts, second);
    await shell(three, "mv ../undo-*-2 .makuosan");
    // The same of the host where the command runs.
    await shell(two, "mv .makuosan/undo-*-2 ..");
    const own = await two.msync("--undo");
    assert.equal(own.status, 6);
    assert.match(own.stderr, /^error: nothing was changed anywhere: host2: it no longer keeps what it had/m);
    await allLook(fleet.hosts, second);
    await shell(two, "mv ../undo-*-2 .makuosan");
    await three.stop();
    await eventually("host3 has left", async () => (await msync(one, "--members")).includes("Total: 1"));
    await msync(one, "--undo");
    await allLook([one, two], first);
    await start(fleet, three);
    await eventually("host3 is like the others", async () => (await look(three)) === first);
    await eventually("and knows it", async () => / \(undo|current/.test(await msync(three, "--status")));
    const none = await one.msync("--undo", "0123");
    assert.equal(none.status, 6);
    assert.match(none.stderr, /no push has the id 0123/);
  },
);

test(
  "what forbids an undo is named with its host and its setting, and nothing changes",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await NamespaceFleet.create({ hosts: 3 });
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as Three;
    await start(fleet, one, "--no-catch-up");
    const hook = path.join(fleet.directory, "hook");
    // Where several things forbid it, the first one that is heard of is named.
    const forbids = path.join(fleet.directory, "forbids");
    const condition = `[ ! -e '${forbids}' ] || [ "$MAKUOSAN_KIND $MAKUOSAN_SENDER" != "undo host2" ]`;
    fs.writeFileSync(hook, `#!/bin/sh\n${condition}\n`, { mode: 0o755 });
    await start(fleet, two, "--pre-commit", hook);
    await start(fleet, three, "--undo", "0");
    await acquainted(fleet.hosts);
    const [, second] = await pushTwo(one);
    const refused = async (host: Host, error: RegExp, status = 6) => {
      const result = await host.msync("--undo");
      assert.match(result.stderr, error);
      assert.equal(result.status, status);
      await allLook(fleet.hosts, second);
    };
    await refused(three, /^error: this host keeps nothing to take a push back: set 'undo = 10'/m);
    await three.stop();
    await eventually("host3 has left", async () => (await msync(one, "--members")).includes("Total: 1"));
    // The one that has pushed has to get the former files from another host.
    const stays = /^error: nothing was changed anywhere: host1: .* set 'catch-up = yes' there$/m;
    await refused(two, stays);
    await refused(one, stays);
    await one.stop();
    await start(fleet, one, "-s");
    await acquainted([one, two]);
    await refused(
      one,
      /^error: this daemon was started not to send \(-s\): take the push back from another/m,
      1,
    );
    await one.stop();
    await start(fleet, one);
    await acquainted([one, two]);
    // Hooks run for the part of the host where the command runs as well.
    fs.writeFileSync(forbids, "");
    await refused(
      two,
      /^error: nothing was changed anywhere: host2: the pre-commit hook ended with status 1/m,
    );
    fs.rmSync(forbids);
    // Without its list, a kept push looks like one that has changed nothing.
    const forEach = (command: string) => shell(two, `for area in .makuosan/undo-*; do ${command}; done`);
    await forEach("mv $area/done $area/aside");
    for (const host of [one, two])
      await refused(
        host,
        /^error: nothing was changed anywhere: host2: what it has kept of push .* push the former files/m,
      );
    await forEach("mv $area/aside $area/done");
    await start(fleet, three, "--undo", "0");
    await acquainted(fleet.hosts);
    await refused(
      one,
      /^error: nothing was changed anywhere: host3: it no longer keeps what it had before push/m,
    );
    // Those that are there have pushed it themselves, or have got it from another host: nobody has the former files.
    await two.stop();
    await eventually("host2 has left", async () => (await msync(one, "--members")).includes("Total: 1"));
    await shell(one, "echo 333 > d/f");
    await msync(one, "-r", "d");
    const third = await look(one);
    await start(fleet, two);
    await eventually("host2 has it, too", async () => (await look(two)) === third);
    await three.stop();
    await eventually("two are left", async () => (await msync(one, "--members")).includes("Total: 1"));
    await eventually("both know it", async () => (await msync(one, "--members", "-v")).includes(", current"));
    for (const host of [one, two]) {
      const nobody = await host.msync("--undo");
      assert.match(
        nobody.stderr,
        /^error: nothing was changed anywhere: no host that is there keeps what it had/m,
      );
      assert.equal(nobody.status, 6);
    }
    await allLook(fleet.hosts, third);
  },
);

test(
  "a host that is killed while it is ready stops the undo everywhere, and has its part in the next one",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as Three;
    const [first, second] = await pushTwo(one);
    // The barrier waits for host2, so that host3 is ready and not told to switch.
    two.kill("SIGSTOP");
    const undo = one.msync("--undo");
    await becomesReady(three, 3);
    await three.stop("SIGKILL");
    two.kill("SIGCONT");
    const { status, stderr } = await undo;
    assert.equal(status, 6);
    assert.match(stderr, /^error: nothing was changed anywhere: host3: /m);
    await start(fleet, three);
    await acquainted(fleet.hosts);
    await allLook(fleet.hosts, second);
    await msync(one, "--undo");
    await allLook(fleet.hosts, first);
  },
);

test(
  "a host that gets the former files from another one keeps what they replace: taking back the undo brings it back",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as Three;
    const [first, second] = await pushTwo(one);
    // The host that has pushed has nothing of its own to bring back.
    await shell(one, "echo edited > d/f");
    const edited = await look(one);
    await msync(two, "--undo");
    await allLook(fleet.hosts, first);
    // Its last transfer may be the one that has brought the files to the others.
    const [, undo = ""] = /\(undo of [^)]*\).* id (\S+)$/m.exec(await msync(two, "--history", "-v")) ?? [];
    await msync(two, "--undo", undo);
    await allLook([two, three], second);
    assert.equal(await look(one), edited);
    // Only what the push has made goes.
    await shell(one, "mkdir -p d/sub/deep && echo s > d/sub/s && echo t > d/sub/deep/t");
    await msync(one, "-r", "d/sub");
    await shell(three, "echo mine > d/sub/mine");
    const { status, stderr } = await two.msync("--undo");
    assert.equal(status, 0);
    assert.match(stderr, /host3:d\/sub: it stays, because d\/sub\/mine was not made by the push$/m);
    for (const host of fleet.hosts)
      assert.equal(
        (await look(host)).match(/sub\/(s|deep|mine).* f .*/g)?.length ?? 0,
        host === three ? 1 : 0,
      );
  },
);
