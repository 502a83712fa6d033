import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { shell } from "../support/command-scenarios.ts";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";
import { allLook, fleetOf, look, msync, start } from "./undo-fleet.ts";

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
