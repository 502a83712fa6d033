import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { makeFile, sameTrees } from "../support/trees.ts";

/** Several transfers at once, from one host and from two. */

const skip = await namespaceProblem();

test("several msync at once complete", { skip }, async (suite) => {
  const fleet = await NamespaceFleet.create({ hosts: 4 });
  suite.after(() => fleet.destroy());
  await Promise.all(fleet.hosts.map((host) => host.start()));
  await acquainted(fleet.hosts);
  const [one, two, three, four] = fleet.hosts as [Host, Host, Host, Host];
  const put = (host: Host, name: string) => {
    fs.mkdirSync(path.join(host.base, name), { recursive: true });
    makeFile(path.join(host.base, name, "big"), 20_000_000);
    for (let index = 0; index < 100; index++)
      makeFile(path.join(host.base, name, `small${index}`), 1000 + index);
  };

  await suite.test("two on one host", async () => {
    put(one, "a");
    put(one, "b");
    const results = await Promise.all([one.msync("-r", "a"), one.msync("-r", "b")]);
    for (const { status, stderr } of results) assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    for (const other of [two, three, four]) assert.equal(await sameTrees(one, other), "");
  });

  await suite.test("one on each of two hosts", async () => {
    put(one, "c");
    put(two, "d");
    const results = await Promise.all([one.msync("-r", "c"), two.msync("-r", "d")]);
    for (const { status, stderr } of results) assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    for (const other of [two, three, four]) assert.equal(await sameTrees(one, other), "");
  });

  await suite.test("ten on one host, more than are sent at the same time", async () => {
    const names = Array.from({ length: 10 }, (_, index) => `many${index}`);
    for (const name of names) makeFile(path.join(one.base, name), 100_000);
    const results = await Promise.all(names.map((name) => one.msync(name)));
    for (const { status, stderr } of results) assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    for (const other of [two, three, four]) assert.equal(await sameTrees(one, other), "");
  });
});
