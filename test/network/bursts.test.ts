import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { makeFile, sameTrees } from "../support/trees.ts";

/** More pushes at once than members receive at a time, as cron starts them on all hosts in the same second. */

const skip = await namespaceProblem();

test("10 hosts that each push in the same second, several times", { skip }, async (context) => {
  const fleet = await NamespaceFleet.create({ hosts: 10, tmpfs: "100m" });
  context.after(() => fleet.destroy());
  await Promise.all(fleet.hosts.map((host) => host.start()));
  await acquainted(fleet.hosts);
  // Offers that get lost are heard in another order by each member.
  for (const host of fleet.hosts) await fleet.lose(host, 5);
  for (let round = 0; round < 3; round++) {
    // Of several blocks once: fragments also come in the moment in which a push that has waited is admitted.
    const sizeBytes = round === 0 ? 150_000 : 30_000;
    for (const host of fleet.hosts) makeFile(path.join(host.base, `${host.name}-${round}`), sizeBytes);
    const results = await Promise.all(fleet.hosts.map((host) => host.msync(`${host.name}-${round}`)));
    for (const { status, stderr } of results) assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  }
  const [first, ...others] = fleet.hosts as [Host, ...Host[]];
  for (const other of others) assert.equal(await sameTrees(first, other), "");
});
