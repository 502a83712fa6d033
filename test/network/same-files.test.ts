import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";

/** Hosts that push the same at the same time, to all others, so that each sender is a member of the other one's push. */

const skip = await namespaceProblem();
const ROUNDS = 15;
const FILES = 20;
const OWN_PUSH = /pushes it itself, and its push comes later: compare, and push again/;

/** The different contents that a host has. */
function contentsOf(host: Host): string[] {
  const names = Array.from({ length: FILES }, (_, file) => path.join(host.base, "shared", `f${file}`));
  return [...new Set(names.map((name) => fs.readFileSync(name, "utf8")))];
}

for (const hosts of [2, 4]) {
  test(
    `two of ${hosts} hosts push the same files at once: all have the same, or a sender is told`,
    { skip },
    async (context) => {
      const fleet = await NamespaceFleet.create({ hosts });
      context.after(() => fleet.destroy());
      await Promise.all(fleet.hosts.map((host) => host.start()));
      await acquainted(fleet.hosts);
      const [one, two, ...others] = fleet.hosts as [Host, Host, ...Host[]];
      let told = 0;
      for (let round = 0; round < ROUNDS; round++) {
        for (const sender of [one, two]) {
          fs.mkdirSync(path.join(sender.base, "shared"), { recursive: true });
          const content = `${sender.name} `.padEnd(100 + 2 * round + (sender === one ? 0 : 1), ".");
          for (let file = 0; file < FILES; file++)
            fs.writeFileSync(path.join(sender.base, "shared", `f${file}`), content);
        }
        const results = await Promise.all([one, two].map((sender) => sender.msync("-r", "shared")));
        const failed = results.filter(({ status }) => status !== 0);
        for (const { status, stderr } of failed) {
          assert.equal(status, 3, stderr);
          assert.match(stderr, OWN_PUSH);
          assert.match(stderr, /shared\/f\d+/);
        }
        told += failed.length;
        assert.ok(failed.length < 2, `round ${round}: one of them is everywhere`);
        const first = contentsOf(one);
        assert.equal(first.length, 1, "no mixture of two pushes");
        for (const other of [two, ...others]) assert.deepEqual(contentsOf(other), first, `round ${round}`);
      }
      context.diagnostic(`in ${told} of ${ROUNDS} rounds one sender was told`);
    },
  );
}
