import assert from "node:assert/strict";
import { test } from "node:test";
import { shell } from "../support/command-scenarios.ts";
import type { Host } from "../support/host.ts";
import { namespaceProblem, type NamespaceFleet } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";
import { allLook, fleetOf, look, msync } from "./undo-fleet.ts";

const skip = await namespaceProblem();

/** Undos and pushes of the same paths that meet each other. */

type Four = [Host, Host, Host, Host];

/** Two states of a tree on all hosts; host3 pushes them, so it has nothing of its own to bring back. */
async function pushed(fleet: NamespaceFleet): Promise<[string, string]> {
  const [, , three] = fleet.hosts as Four;
  await shell(three, "mkdir d && echo 1 > d/f");
  await msync(three, "-r", "d");
  const first = await look(three);
  await shell(three, "echo 22 > d/f && echo n > d/new");
  await msync(three, "-r", "d");
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
  for (const host of [one, two])
    await eventually(`${host.name} is ready for both`, async () => {
      const { stdout } = await host.run("sh", ["-c", "ls -d /var/www/.makuosan/[0-9a-f]*/ready | wc -l"]);
      return stdout.trim() === "2";
    });
  four.kill("SIGCONT");
  return Promise.all(commands);
}

/** Waits until all hosts are current and alike. */
async function areSettled(fleet: NamespaceFleet): Promise<void> {
  const [one, ...others] = fleet.hosts as Four;
  await eventually("all are current", async () => {
    const members = (await msync(one, "--members", "-v")).match(/, current$/gm) ?? [];
    return members.length === others.length && / current/.test(await msync(one, "--status"));
  });
  await allLook(others, await look(one));
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
