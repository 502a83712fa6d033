import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { test } from "node:test";
import { argumentsOfReloaded } from "../../src/daemon/settings/running-daemon.ts";
import { collect } from "../support/processes.ts";

const MAIN = path.join(import.meta.dirname, "../../src/main.ts");

test("a check at a reload reads the options of the daemon that runs", async (context) => {
  const daemon = spawn("sleep", ["--", "30"]);
  context.after(() => daemon.kill());
  assert.deepEqual(argumentsOfReloaded({ MAINPID: String(daemon.pid) }), ["--", "30"]);
  for (const MAINPID of [undefined, "", "x", "0", "999999999"])
    assert.deepEqual(argumentsOfReloaded(MAINPID === undefined ? {} : { MAINPID }), [], MAINPID);
});

test("options that the name of the process has replaced are not known", async (context) => {
  const renamed = spawn(process.execPath, [
    "-e",
    "process.title = 'makuosan'; console.log('ready'); setTimeout(() => {}, 60_000)",
  ]);
  context.after(() => renamed.kill());
  await once(renamed.stdout, "data");
  assert.equal(argumentsOfReloaded({ MAINPID: String(renamed.pid) }), undefined);
});

test("its options count for the check", async (context) => {
  // A process whose arguments are those of a daemon, with "-" as its base.
  const daemon = spawn("cat", ["-b", "-"], { stdio: ["pipe", "ignore", "ignore"] });
  context.after(() => daemon.kill());
  const check = spawn(process.execPath, [MAIN, "--check-config"], {
    argv0: "makuosan",
    env: { ...process.env, LC_ALL: "C", MAINPID: String(daemon.pid) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { status, stderr } = await collect(check);
  assert.equal(status, 1);
  assert.ok(stderr.startsWith(`error: the base directory ${path.resolve("-")} is missing: `), stderr);
});
