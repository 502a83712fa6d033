import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";
import { sameTrees } from "../support/trees.ts";

/** A daemon stays with its fleet when its interface changes under it. */

const skip = await namespaceProblem();

test("when the interface changes, the daemon joins again by itself", { skip }, async (suite) => {
  const fleet = await NamespaceFleet.create({ hosts: 3 });
  suite.after(() => fleet.destroy());
  await Promise.all(fleet.hosts.map((host) => host.start()));
  await acquainted(fleet.hosts);
  const [sender, receiver] = fleet.hosts as [Host, Host, Host];
  const ip = (...args: string[]) => receiver.run("ip", args);
  const reaches = async (text: string) => {
    fs.writeFileSync(path.join(sender.base, "file"), text);
    assert.equal((await sender.msync("-r")).status, 0);
    assert.equal(await sameTrees(sender, receiver), "");
  };
  await reaches("before");

  await suite.test("another address", async () => {
    await ip("addr", "flush", "dev", "eth0");
    await ip("addr", "add", "10.77.0.42/24", "brd", "+", "dev", "eth0");
    await eventually("it is known by its new address", async () => {
      return (await sender.msync("--members")).stdout.includes("host2 10.77.0.42 ");
    });
    await reaches("after");
  });

  await suite.test("away and back", async () => {
    await ip("link", "set", "eth0", "down");
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await ip("link", "set", "eth0", "up");
    await eventually("it has joined again", async () =>
      (await receiver.msync("--members")).stdout.includes("Total: 2"),
    );
    await eventually("it gets files again", async () => {
      fs.writeFileSync(path.join(sender.base, "file"), "back");
      return (await sender.msync("-r")).status === 0;
    });
    assert.equal(await sameTrees(sender, receiver), "");
  });
});
