import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { shell } from "../support/command-scenarios.ts";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";
import { allLook, becomesReady, fleetOf, lastUndo, look, msync, start } from "./undo-fleet.ts";

const skip = await namespaceProblem();

test(
  "the only host with the former files dies between its switch and its log: after its start it brings them to the others",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(2);
    context.after(() => fleet.destroy());
    const [one, two] = fleet.hosts as [Host, Host];
    await shell(one, "mkdir d && echo 1 > d/f && echo g > d/gone");
    await msync(one, "-r", "d");
    const first = await look(one);
    await shell(one, "echo 22 > d/f && rm d/gone && mkdir d/new && echo n > d/new/n");
    await msync(one, "-r", "--delete", "d");
    // The state of host2 as it is on its disk when the undo begins.
    const state = path.join(fleet.directory, "state-host2");
    const copy = path.join(fleet.directory, "copy");
    fs.cpSync(state, copy, { recursive: true });
    // host1 agrees to the undo, and cannot get the former files.
    await shell(one, "mount -o remount,bind,ro /var/www");
    const undo = two.msync("--undo");
    await eventually("host1 lacks the undo", async () =>
      (await two.msync("--members", "-v")).stdout.includes("behind 1"),
    );
    await two.stop("SIGKILL");
    await undo;
    fs.rmSync(state, { recursive: true });
    fs.renameSync(copy, state);
    await shell(one, "mount -o remount,bind,rw /var/www");
    await start(fleet, two);
    await acquainted(fleet.hosts);
    await eventually("host1 has the former files", async () => (await look(one)) === first);
    await allLook(fleet.hosts, first);
    await eventually("all are current", async () =>
      (await msync(two, "--members", "-v")).includes(", current"),
    );
  },
);

/** A hook that waits until a file is gone; only then the hosts switch. */
function gatedHook(directory: string): { readonly hook: string; readonly gate: string } {
  const [hook, gate] = [path.join(directory, "hook"), path.join(directory, "gate")];
  fs.writeFileSync(hook, `#!/bin/sh\nwhile [ -e ${gate} ]; do sleep 0.01; done\n`, { mode: 0o755 });
  fs.writeFileSync(gate, "");
  return { hook, gate };
}

test(
  "a host that dies before the switch of a push that it keeps lives after its start, and can take the push back with the others",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as [Host, Host, Host];
    await shell(one, "mkdir d && echo 1 > d/f && echo g > d/gone && ln -s f d/l");
    await msync(one, "-r", "d");
    const first = await look(one);
    const { hook, gate } = gatedHook(fleet.directory);
    await two.stop();
    await start(fleet, two, "--pre-commit", hook);
    await acquainted(fleet.hosts);
    await shell(one, "echo 22 > d/f && rm d/gone d/l && mkdir d/l && echo n > d/l/n");
    const second = await look(one);
    const pushing = one.msync("-r", "--delete", "d");
    await becomesReady(three, 2);
    await three.stop("SIGKILL");
    fs.rmSync(gate);
    const { status, stderr } = await pushing;
    assert.equal(status, 3);
    assert.match(stderr, /^error: host3: /m);
    await start(fleet, three);
    await acquainted(fleet.hosts);
    await eventually("host3 has the push", async () => (await look(three)) === second);
    assert.match(three.log, /was committed by others, and now here, without being sent again/);
    // What is left of the area is kept, step by step, after the switch.
    await eventually("host3 keeps the former files", async () => {
      const { stdout } = await three.run("sh", ["-c", "ls /var/www/.makuosan/undo-*-2/kept"]);
      return stdout !== "";
    });
    await eventually("all are current", async () =>
      (await msync(two, "--members", "-v")).includes("host3 10.77.0.3 (Ver2.0.0), current"),
    );
    await msync(two, "--undo");
    await allLook(fleet.hosts, first);
    await msync(three, "--undo", await lastUndo(two));
    await allLook(fleet.hosts, second);
    assert.doesNotMatch(three.log, /cannot be taken back/);
  },
);
