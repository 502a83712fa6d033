import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { argumentsOfReloaded } from "../../src/daemon/settings/running-daemon.ts";
import { collect, firstOutput } from "../support/processes.ts";

const notRoot = process.getuid?.() === 0 ? false : "another user can only be taken by root";

const MAIN = path.join(import.meta.dirname, "../../src/main.ts");

test("a check at a reload reads the options of the daemon that runs", async (context) => {
  const daemon = spawn("sleep", ["--", "30"]);
  context.after(() => daemon.kill());
  assert.deepEqual(argumentsOfReloaded({ MAINPID: String(daemon.pid) }), ["--", "30"]);
  for (const MAINPID of [undefined, "", "x", "0", "999999999"])
    assert.deepEqual(argumentsOfReloaded(MAINPID === undefined ? {} : { MAINPID }), [], MAINPID);
});

/** What `makuosan --check-config` says with these options. */
async function checked(...options: string[]): Promise<string> {
  const started = spawn(process.execPath, [MAIN, "--check-config", "--config", "/dev/null", ...options], {
    argv0: "makuosan",
    env: { ...process.env, LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { stdout, stderr } = await collect(started);
  return stdout + stderr;
}

test("a config is not valid if the daemon cannot write in its directories", async (context) => {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-base-"));
  context.after(() => fs.rmdirSync(base));
  assert.match(await checked("-b", base), /^the configuration is valid: /);
  assert.match(
    await checked("-b", base, "--state", "/nowhere"),
    /^error: the state directory \/nowhere cannot be written \(ENOENT\): /,
  );
});

test(
  "the directories are checked as the user that the daemon becomes",
  { skip: notRoot },
  async (context) => {
    const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-base-"));
    context.after(() => fs.rmdirSync(base));
    assert.match(
      await checked("-b", base, "-u", "nobody"),
      /^error: the base directory \S+ cannot be written \(EACCES\): run 'chown nobody: /,
    );
    fs.chownSync(base, 65534, 65534);
    assert.match(await checked("-b", base, "-u", "nobody"), /^the configuration is valid: /);
    assert.match(
      await checked("-b", base, "-u", "nobody", "--state", "/root"),
      /^error: the state directory \/root cannot be written \(EACCES\): /,
    );
  },
);

test(
  "a reload fails if the user of the daemon cannot read the config",
  { skip: notRoot },
  async (context) => {
    const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-base-"));
    context.after(() => fs.rmSync(base, { recursive: true }));
    fs.chmodSync(base, 0o755);
    fs.chownSync(base, 65534, 65534);
    const config = path.join(base, "conf");
    fs.writeFileSync(config, `base = ${base}\nuser = nobody\n`, { mode: 0o600 });
    const result = async (MAINPID: string) => {
      const started = spawn(process.execPath, [MAIN, "--check-config", "--config", config], {
        argv0: "makuosan",
        env: { ...process.env, LC_ALL: "C", MAINPID },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const { stdout, stderr } = await collect(started);
      return stdout + stderr;
    };
    const said = await result("");
    assert.match(said, /^the configuration is valid: /, "a start reads it as root");
    assert.match(said, /^warning: the config file .*\(EACCES\).*; a reload reads it as the user nobody, /m);
    assert.match(await result("999999999"), /^error: the config file \S+ cannot be read \(EACCES\): /);
    fs.chmodSync(config, 0o644);
    assert.match(await result("999999999"), /^the configuration is valid: /);
    assert.doesNotMatch(await result(""), /^warning: .* a reload/m);
  },
);

test("options that the name of the process has replaced are not known", async (context) => {
  const renamed = spawn(process.execPath, [
    "-e",
    "process.title = 'makuosan'; console.log('ready'); setTimeout(() => {}, 60_000)",
  ]);
  context.after(() => renamed.kill());
  await firstOutput(renamed);
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
