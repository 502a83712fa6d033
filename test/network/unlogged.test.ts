import assert from "node:assert/strict";
import { test } from "node:test";
import { becomesCurrent } from "../support/catching-up.ts";
import { shell } from "../support/command-scenarios.ts";
import { acquainted } from "../support/host.ts";
import { namespaceProblem } from "../support/namespaces.ts";
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
    await becomesCurrent(three, one);
    await allLook(fleet.hosts, repaired);
    const id = await lastSent(one);
    assert.match(await msync(one, "--undo"), new RegExp(`^push ${id} is taken back$`, "m"));
    await allLook(fleet.hosts, before);
  },
);
