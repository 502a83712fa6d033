import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";
import { sameTrees } from "../support/trees.ts";

/** Clones of a virtual machine: two hosts with one machine id, one host name and one file of the node id. */

const skip = await namespaceProblem();

const idOf = (directory: string) => fs.readFileSync(path.join(directory, "node-id"), "latin1").slice(0, 32);

const rowOf = async (host: Host, name: string) =>
  new RegExp(`^${name} : (.*)$`, "m").exec((await host.msync("--status")).stdout)?.[1] ?? "";

test("two clones are both members, and one of them draws a new id for good", { skip }, async (suite) => {
  const fleet = await NamespaceFleet.create({ hosts: 3 });
  suite.after(() => fleet.destroy());
  const [sender, original, clone] = fleet.hosts as [Host, Host, Host];
  const states = [original, clone].map((host) => {
    const directory = path.join(fleet.directory, `${host.name}-state`);
    fs.mkdirSync(directory);
    host.environment = { STATE_DIRECTORY: directory };
    return directory;
  }) as [string, string];
  const startAs = (host: Host) => host.start("--name", "web");
  // One host is set up and runs; then its disk is copied.
  await sender.start();
  await startAs(original);
  await acquainted([sender, original]);
  const id = idOf(states[0]);
  fs.copyFileSync(path.join(states[0], "node-id"), path.join(states[1], "node-id"));
  await startAs(clone);

  await suite.test("all know each other, and a push reaches both", async () => {
    await acquainted(fleet.hosts);
    for (let count = 0; count < 5; count++) {
      fs.writeFileSync(path.join(sender.base, "file"), `push ${count}`);
      const { status, stderr } = await sender.msync("-r");
      assert.equal(status, 0, stderr);
      for (const host of [original, clone]) assert.equal(await sameTrees(sender, host), "");
    }
  });

  await suite.test("one has drawn another id, has kept it, and says so", async () => {
    await eventually("the ids differ", () => idOf(states[0]) !== idOf(states[1]));
    assert.equal(states.filter((directory) => idOf(directory) === id).length, 1);
    const [drawn, other] = idOf(states[0]) === id ? [clone, original] : [original, clone];
    const [kept] = states.filter((directory) => idOf(directory) !== id) as [string];
    assert.equal(
      await rowOf(drawn, "node id"),
      `${idOf(kept)} (drawn again: web (${other.ip}) is a copy of this host)`,
    );
    // The other one may have heard of its copy only when that had its new id.
    const shown = [id, `${id} (web (${drawn.ip}) was a copy of this host)`];
    assert.ok(shown.includes((await rowOf(other, "node id")) ?? ""));
    const { stdout, stderr } = await drawn.stop();
    assert.match(stdout + stderr, /is a copy of this host, with the same node id: this host has drawn a new/);
    await startAs(drawn);
    await acquainted(fleet.hosts);
    assert.equal(await rowOf(drawn, "node id"), idOf(kept), "the new id is there at the next start");
  });

  await suite.test("no member was taken for a restart of the other", async () => {
    const { stdout, stderr } = await sender.stop();
    assert.doesNotMatch(stdout + stderr, /was restarted|fell silent/);
  });
});
