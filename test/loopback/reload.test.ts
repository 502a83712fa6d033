import { randomBytes } from "node:crypto";
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { LoopbackFleet } from "../support/loopback.ts";
import { eventually } from "../support/processes.ts";

/** A reload of real daemons: what it takes over holds for the next push. */

test("a reload takes over what needs no restart, and names the rest", async (context) => {
  const fleet = LoopbackFleet.create(2);
  context.after(() => fleet.destroy());
  const [sender, member] = fleet.hosts as [Host, Host];
  const config = path.join(fleet.directory, "member.conf");
  const configure = async (...lines: string[]) => {
    fs.writeFileSync(config, lines.map((line) => `${line}\n`).join(""));
    const before = member.log.length;
    member.kill("SIGHUP");
    await eventually("it has read them", () => member.log.slice(before).includes("the configuration "));
    return member.log.slice(before);
  };
  fs.writeFileSync(config, "");
  await sender.start();
  await member.start("--config", config);
  await acquainted(fleet.hosts);
  const write = (name: string, text: string) => fs.writeFileSync(path.join(sender.base, name), text);
  const inMember = (name: string) => path.join(member.base, name);
  const push = async (...args: string[]) => {
    const { status, stderr } = await sender.msync(...args);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  };

  await context.test("labels", async () => {
    assert.match(await configure("labels = web"), /read again; changed: labels$/m);
    write("a", "1");
    await eventually("its sender knows the label", async () =>
      (await sender.msync("--members", "-v")).stdout.includes(" web\n"),
    );
    await push("-t", "@web", "a");
    assert.equal(fs.readFileSync(inMember("a"), "utf8"), "1");
  });

  await context.test("exclude, with its protection", async () => {
    await configure("labels = web", "exclude = *.local");
    write("b.local", "of the sender");
    const { status, stderr } = await sender.msync("-r");
    assert.deepEqual([status, fs.existsSync(inMember("b.local"))], [0, false], stderr);
    await configure("labels = web");
    await push("-r");
    assert.equal(fs.readFileSync(inMember("b.local"), "utf8"), "of the sender");
  });

  await context.test("delete-limit", async () => {
    await configure("delete-limit = 0");
    fs.rmSync(path.join(sender.base, "b.local"));
    const { status, stderr } = await sender.msync("-r", "--delete");
    assert.notEqual(status, 0);
    assert.match(stderr, /delete-limit|would delete/);
    assert.ok(fs.existsSync(inMember("b.local")));
    await configure("delete-limit = 100");
    await push("-r", "--delete");
    assert.ok(!fs.existsSync(inMember("b.local")));
  });

  await context.test("hooks", async () => {
    const hook = path.join(fleet.directory, "hook");
    fs.writeFileSync(hook, "#!/bin/sh\necho 'not today' >&2\nexit 1\n", { mode: 0o755 });
    await configure(`pre-commit = ${hook}`, "hook-timeout = 20");
    write("c", "3");
    const { status, stderr } = await sender.msync("-r");
    assert.equal(status, 3);
    assert.match(stderr, /not today/);
    await configure();
    await push("-r");
  });

  await context.test("rate, parallel and owner-match", async () => {
    const row = async (name: string) =>
      new RegExp(`^${name} : (.*)$`, "m").exec((await member.msync("--status")).stdout)?.[1];
    await configure("rate = 8", "parallel = 2", "owner-match = yes");
    assert.deepEqual(
      [await row("rate"), await row("parallel"), await row("owner match")],
      ["8 Mbit/s", "2", "yes"],
    );
    // Two megabytes that do not get smaller take two seconds at this rate; without a bound, some milliseconds.
    fs.writeFileSync(inMember("big"), randomBytes(2_000_000));
    fs.chownSync(inMember("big"), fs.statSync(member.base).uid, fs.statSync(member.base).gid);
    const beganMs = performance.now();
    const { status, stderr } = await member.msync("big");
    assert.deepEqual([status, stderr], [0, ""]);
    assert.ok(performance.now() - beganMs > 1_500);
  });

  await context.test("another value that needs a restart is named, and nothing else holds", async () => {
    const said = await configure("rate = 80", "multicast = 224.0.0.111", "send = no");
    assert.match(said, /read again; changed: rate, parallel, owner-match$/m);
    const named = "multicast, send of the configuration will change with 'systemctl restart makuosan'\n";
    await eventually("the log names them", () => member.log.includes(named));
    assert.match(await configure("rate = 80"), /read again; changed: nothing$/m);
  });

  await context.test("a file with an error changes nothing", async () => {
    const said = await configure("rate = 8", "labels = not valid!");
    assert.match(said, /^the configuration stays as it was: .*labels/m);
    assert.match((await member.msync("--status")).stdout, /^rate : 80 Mbit\/s$/m);
  });
});
