import assert from "node:assert/strict";
import { test } from "node:test";
import { becomesCurrent } from "../support/catching-up.ts";
import { shell } from "../support/command-scenarios.ts";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";
import { allLook, fleetOf, lastSent, look, msync, start, type Three } from "./undo-fleet.ts";

const skip = await namespaceProblem();

/** What changes the tree of all hosts is in the log, or it is known that something is not. */

test(
  "a repair is a push as any other: hosts that were away get it, and it is taken back before those before it",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as Three;
    await shell(one, "mkdir w && echo 1 > w/a && echo x > w/x");
    await msync(one, "-r", "w");
    await becomesCurrent(three, one);
    const before = await look(two);
    await three.stop();
    await shell(one, "echo 2 > w/a && rm w/x");
    const { status, stdout } = await one.msync("--repair", "-r", "--delete", "w");
    assert.equal(status, 0);
    assert.match(stdout, /^contents host2:w\/a$/m);
    const repaired = await look(one);
    await start(fleet, three);
    await acquainted(fleet.hosts);
    await eventually("host3 has what was repaired", async () => (await look(three)) === repaired, 60_000);
    await allLook(fleet.hosts, repaired);
    const id = await lastSent(one);
    assert.match(await msync(one, "--undo"), new RegExp(`^push ${id} is taken back$`, "m"));
    await allLook(fleet.hosts, before);
  },
);

/** So many patterns that a push with deletes has no place in the log. */
const PATTERNS = Array.from({ length: 400 }, (_, index) => [
  "--exclude",
  `no-${index}-${"x".repeat(40)}`,
]).flat();

test(
  "what a push has changed that is not in the log is not taken back by hosts that get again what was changed by hand",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as Three;
    await two.stop();
    await start(fleet, two, "--check-every", "1s", "--drift", "repair");
    await acquainted(fleet.hosts);
    await shell(one, "mkdir w && echo 1 > w/a && echo x > w/x");
    await msync(one, "-r", "w");
    await becomesCurrent(three, one);
    await three.stop();
    await shell(one, "echo 2 > w/a");
    await msync(one, "-r", "--delete", ...PATTERNS, "w");
    const pushed = await look(one);
    await start(fleet, three);
    await acquainted(fleet.hosts);
    await eventually("host2 has looked", () => two.log.includes("not as published here"));
    assert.match(
      two.log,
      /^\d entr.* and this host does not get them again, because a push that is not in the log may have changed them: push them again$/m,
    );
    await allLook([one, two], pushed);
    // It says so also after a restart, and which push was the last one.
    for (const host of [one, two]) {
      await host.stop();
      await start(fleet, host, "--check-every", "1s", "--drift", "repair");
    }
    await acquainted(fleet.hosts);
    for (const host of [one, two]) {
      await eventually("it has looked", () => host.log.includes("not as published here"));
      assert.match(host.log, /a push that is not in the log may have changed them/);
      const { status, stderr } = await host.msync("--undo");
      assert.equal(status, 6);
      assert.match(stderr, /^error: the last push cannot be taken back, because it is not in the log: /m);
    }
    await allLook([one, two], pushed);
    // The next push that is in the log makes all equal.
    await msync(one, "-r", "w");
    await allLook(fleet.hosts, pushed);
    await msync(two, "--undo");
  },
);

test(
  "if each host has something of a push changed by hand, not all of them get it again, so that they can from each other",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as Three;
    await shell(one, "mkdir w && echo 1 > w/a && echo 1 > w/b && echo 1 > w/c");
    await msync(one, "-r", "w");
    for (const host of [two, three]) await becomesCurrent(host, one);
    for (const [host, name] of [
      [one, "a"],
      [two, "b"],
      [three, "c"],
    ] as const)
      await shell(host, `echo hand > w/${name}`);
    const read = async (host: Host) => (await host.run("sh", ["-c", "cd /var/www/w && cat a b c"])).stdout;
    for (const [host, others] of [
      [one, "1\n1\n1\n"],
      [two, "1\n1\n1\n"],
      [three, "1\n1\nhand\n"],
    ] as const) {
      await host.stop();
      await start(fleet, host, "--check-every", "1s", "--drift", "repair");
      await acquainted(fleet.hosts);
      if (host === three)
        await eventually("host3 has looked", () =>
          host.log.includes("because no other host is there that has all of that push"),
        );
      await eventually(`${host.name} has what others have`, async () => (await read(host)) === others);
    }
  },
);

test(
  "all hosts log the same paths of a push, also if some that were named are not there or are excluded",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as Three;
    await shell(one, "mkdir w && echo 1 > w/a && echo t > x.tmp");
    await three.stop();
    const { status } = await one.msync("-r", "--exclude", "*.tmp", "w", "nothing", "x.tmp");
    assert.equal(status, 3);
    // Only the host that has pushed can bring it.
    await two.stop();
    await start(fleet, three);
    await acquainted([one, three]);
    await becomesCurrent(three, one);
    assert.match(await look(three), /^\.\/w\/a:1$/m);
    await start(fleet, two);
    await acquainted(fleet.hosts);
    // With none of its paths, it is no push that others would lack, or that could be taken back.
    for (const name of ["nothing", "x.tmp"])
      assert.equal((await one.msync("--exclude", "*.tmp", name)).status, 3);
    const { stdout } = await three.msync("--undo");
    assert.equal(stdout, `push ${(await pushes(one))[0]} is taken back\n`);
    assert.doesNotMatch(await look(three), /w\/a/);
  },
);

/** The ids of the pushes that a host has sent by hand, the oldest first. */
async function pushes(host: Host): Promise<string[]> {
  const history = await msync(host, "--history", "-v");
  return [...history.matchAll(/^\S+ \S+ sent .* id (\S+)$/gm)].map(([, id]) => id ?? "");
}
