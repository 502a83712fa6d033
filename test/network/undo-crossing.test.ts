import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { shell } from "../support/command-scenarios.ts";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, type NamespaceFleet } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";
import { allLook, fleetOf, look, msync, start } from "./undo-fleet.ts";

const skip = await namespaceProblem();

/** Undos and pushes of the same paths that meet each other. */

type Four = [Host, Host, Host, Host];

/** Two states of a tree on all hosts; host3 pushes them, so it has nothing of its own to bring back. */
async function pushed(fleet: NamespaceFleet, ...more: string[]): Promise<[string, string]> {
  const [, , three] = fleet.hosts as Four;
  await shell(three, "mkdir d && echo 1 > d/f");
  await msync(three, ...more, "-r", "d");
  const first = await look(three);
  await shell(three, "echo 22 > d/f && echo n > d/new");
  await msync(three, ...more, "-r", "d");
  return [first, await look(three)];
}

/** Runs two commands that are both ready for the switch on host1 and host2 before one of them switches. */
async function together<T>(
  fleet: NamespaceFleet,
  begin: () => readonly [Promise<T>, Promise<T>],
): Promise<[T, T]> {
  const [one, two, , four] = fleet.hosts as Four;
  // Both barriers wait for host4.
  four.kill("SIGSTOP");
  const commands = begin();
  await isReady([one, two], 2);
  four.kill("SIGCONT");
  return Promise.all(commands);
}

/** Waits until hosts are ready for the switch of so many transfers. */
async function isReady(hosts: readonly Host[], transfers: number): Promise<void> {
  for (const host of hosts)
    await eventually(`${host.name} is ready`, async () => {
      const { stdout } = await host.run("sh", ["-c", "ls -d /var/www/.makuosan/[0-9a-f]*/ready | wc -l"]);
      return stdout.trim() === String(transfers);
    });
}

/** Waits until all hosts are current and alike. */
async function areSettled(fleet: NamespaceFleet): Promise<void> {
  const [one, ...others] = fleet.hosts as Four;
  await areCurrent(fleet);
  await allLook(others, await look(one));
}

/** Waits until all hosts are current. */
async function areCurrent(fleet: NamespaceFleet): Promise<void> {
  const [one, ...others] = fleet.hosts as Four;
  await eventually("all are current", async () => {
    const members = (await msync(one, "--members", "-v")).match(/, current$/gm) ?? [];
    return members.length === others.length && / current/.test(await msync(one, "--status"));
  });
}

test(
  "two hosts take back the same push at once: it is taken back once, and the other one is told so",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(4);
    context.after(() => fleet.destroy());
    const [one, two] = fleet.hosts as Four;
    const [first] = await pushed(fleet);
    const results = await together(fleet, () => [one.msync("--undo"), two.msync("--undo")]);
    const [done, refused] = results.sort((a, b) => (a.status ?? 0) - (b.status ?? 0));
    assert.deepEqual([done.status, refused.status], [0, 6], done.stderr + refused.stderr);
    assert.match(
      refused.stderr,
      /^error: push \S+-2 was taken back already: 'msync --undo \S+' brings it again$/m,
    );
    assert.equal(refused.stdout, "");
    await areSettled(fleet);
    await allLook(fleet.hosts, first);
  },
);

test(
  "a push meets an undo of the same paths: one of them comes first, and all hosts have the same",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(4);
    context.after(() => fleet.destroy());
    const [one, two] = fleet.hosts as Four;
    await pushed(fleet);
    await shell(one, "echo 4444 > d/f && rm d/new");
    const [push, undo] = await Promise.all([one.msync("-r", "--delete", "d"), two.msync("--undo")]);
    assert.ok(push.status === 0 || undo.status === 0, push.stderr + undo.stderr);
    if (undo.status !== 0) {
      assert.equal(undo.status, 6);
      assert.match(
        undo.stderr,
        /^error: push \S+ from host1 came after push \S+-2 and has some of the same paths/m,
      );
    }
    await areSettled(fleet);
  },
);

test(
  "a push for some hosts waits with its place when an undo of the same paths is ready: nothing is taken back, and nobody is behind",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(6);
    context.after(() => fleet.destroy());
    const [one, two, three, four, five, six] = fleet.hosts as [...Four, Host, Host];
    // Each barrier waits for the hook of host4 until its gate is gone.
    const gate = (kind: string) => path.join(fleet.directory, `gate-${kind}`);
    const hook = path.join(fleet.directory, "hook");
    const script = `#!/bin/sh\nwhile [ -e ${gate("$MAKUOSAN_KIND")} ]; do sleep 0.01; done\n`;
    fs.writeFileSync(hook, script, { mode: 0o755 });
    await four.stop();
    await start(fleet, four, "--pre-commit", hook);
    await acquainted(fleet.hosts);
    const [, second] = await pushed(fleet, "--except", "host5", "--except", "host6");
    for (const kind of ["push", "undo"]) fs.writeFileSync(gate(kind), "");
    await shell(five, "mkdir d && echo 4444 > d/f");
    const others = ["host1", "host2", "host4", "host6"].flatMap((name) => ["-t", name]);
    const push = five.msync("-r", "--delete", ...others, "d");
    await isReady([two, six], 1);
    const undo = two.msync("--undo");
    await isReady([two], 2);
    // host6 gives the push no place, so it cannot switch; the others have given it theirs. The undo is not for host6.
    six.kill("SIGSTOP");
    fs.rmSync(gate("push"));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    fs.rmSync(gate("undo"));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    six.kill("SIGCONT");
    const [done, refused] = await Promise.all([push, undo]);
    assert.equal(done.status, 0, done.stderr);
    assert.match(
      refused.stderr,
      /^error: push \S+ from host5 came after push \S+-2 and has some of the same/m,
    );
    assert.deepEqual([refused.status, refused.stdout], [6, ""]);
    await areCurrent(fleet);
    await allLook([one, two, four, six], await look(five));
    await allLook([three], second);
    // Nothing is left that would be in the way of another one.
    await msync(two, "--undo");
    await areCurrent(fleet);
    await allLook([one, two, three, four], second);
  },
);
