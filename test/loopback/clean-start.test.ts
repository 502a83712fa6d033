import assert from "node:assert/strict";
import fs from "node:fs";
import { spawn } from "node:child_process";
import net from "node:net";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { LoopbackFleet } from "../support/loopback.ts";
import { eventually, must, run } from "../support/processes.ts";

/** A daemon passes nothing on of the program that has started it, and opens no door to others of its user. */

const isRoot = process.getuid?.() === 0;

/** The kernel shows descriptors and environment of a process that is not dumped to root alone. */
const unseen = !isRoot && "only root sees the descriptors and the environment of a daemon";

function makeFleet(context: TestContext, count: number, ...args: string[]): LoopbackFleet {
  const fleet = LoopbackFleet.create(count, args);
  context.after(() => fleet.destroy());
  return fleet;
}

const statusOf = (pid: number | string) => fs.readFileSync(`/proc/${pid}/status`, "latin1");

/** The process that answers on the control socket. */
async function pidOf(host: Host): Promise<number> {
  const { stdout } = await host.msync("--status");
  return Number(/^process : (\d+)$/m.exec(stdout)?.[1]);
}

/** The command of a daemon in the foreground. */
function daemonCommand(host: Host, base = host.base): string[] {
  const program = path.join(path.dirname(host.msyncCommand()[0] ?? ""), "makuosan");
  return host.command(program, ["-n", "-b", base, "-U", host.socket, "-i", host.ip, "--config", "/dev/null"]);
}

async function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}

test("SIGUSR1 and SIGUSR2 change the log level by one step, and open no debugger", async (context) => {
  const [host] = makeFleet(context, 1).hosts as [Host];
  await host.start();
  const level = async () => /log level : (\w+)/.exec((await host.msync("--status")).stdout)?.[1];
  for (const [signal, expected] of [
    ["SIGUSR1", "debug"],
    ["SIGUSR1", "trace"],
    ["SIGUSR1", "trace"],
    ["SIGUSR2", "debug"],
    ["SIGUSR2", "info"],
    ["SIGUSR2", "warn"],
    ["SIGUSR2", "error"],
  ] as const) {
    process.kill(host.pid, signal);
    await eventually(`the level is ${expected}`, async () => (await level()) === expected);
    assert.equal(await isOpen(9229), false);
  }
  const { stdout } = await host.stop();
  const lines = stdout.split("\n").filter((line) => line.startsWith("the log level"));
  assert.deepEqual(lines, [
    "the log level is debug now",
    "the log level is trace now",
    "the log level stays trace",
    "the log level is debug now",
    "the log level is info now",
    "the log level is warn now",
    "the log level is error now",
  ]);
});

for (const [signal, level] of [
  ["SIGUSR1", "debug"],
  ["SIGUSR2", "warn"],
] as const) {
  test(`${signal} before the daemon is ready is counted`, async (context) => {
    const [host] = makeFleet(context, 1).hosts as [Host];
    const starting = host.start();
    await eventually("it listens to signals", () => listens(host.pid));
    // The rest of the start takes much longer than this.
    process.kill(host.pid, signal);
    // It is ready, but may write no line that says so.
    await eventually("the level is another one", async () =>
      (await host.msync("--status")).stdout.includes(`log level : ${level}`),
    );
    host.kill("SIGUSR1");
    void starting.catch(() => undefined);
    const { stdout } = await host.stop();
    assert.ok(stdout.includes(`the log level is ${level} now\n`), stdout);
  });
}

/** Whether a process has a handler for SIGUSR1 and SIGUSR2. */
function listens(pid: number): boolean {
  const both = (1n << 9n) | (1n << 11n);
  const caught = BigInt(`0x${/^SigCgt:\t(\w+)$/m.exec(statusOf(pid))?.[1] ?? "0"}`);
  return pid > 0 && (caught & both) === both;
}

test("its memory is for root alone: no core dumps, no debugger of the same user", async (context) => {
  const [host] = makeFleet(context, 1).hosts as [Host];
  await host.start();
  const limits = fs.readFileSync(`/proc/${host.pid}/limits`, "latin1");
  assert.match(limits, /^Max core file size +0 +0 /m);
  const { status, stderr } = await host.run("cat", [`/proc/${host.pid}/environ`]);
  assert.equal(status, 1);
  assert.match(stderr, /Permission denied/);
});

test(
  "no thread can get rights by a program, and no variable reaches Node",
  { skip: unseen },
  async (context) => {
    const [host] = makeFleet(context, 1).hosts as [Host];
    const home = path.dirname(host.base);
    const fifo = path.join(home, "fifo");
    await must("mkfifo", [fifo]);
    // Who opens the FIFO waits for ever.
    host.environment = {
      OPENSSL_CONF: fifo,
      NODE_COMPILE_CACHE: path.join(home, "cache"),
      NODE_DEBUG: "*",
      NODE_UNIQUE_ID: "1",
      NODE_OPTIONS: `--require ${fifo}`,
      FOREIGN: "1",
    };
    await host.start();
    const names = fs
      .readFileSync(`/proc/${host.pid}/environ`, "latin1")
      .split("\0")
      .map((one) => one.split("=")[0] ?? "");
    for (const name of Object.keys(host.environment)) assert.ok(!names.includes(name), name);
    for (const thread of fs.readdirSync(`/proc/${host.pid}/task`)) {
      assert.match(statusOf(`${host.pid}/task/${thread}`), /^NoNewPrivs:\t1$/m);
    }
    const { stderr } = await host.stop();
    assert.equal(stderr, "");
  },
);

for (const place of ["foreground", "background"] as const) {
  test(`a descriptor of the shell does not stay open in the ${place}`, { skip: unseen }, async (context) => {
    const fleet = makeFleet(context, 1);
    const [host] = fleet.hosts as [Host];
    const lock = path.join(fleet.directory, "lock");
    const command = daemonCommand(host).filter((arg) => arg !== "-n" || place === "foreground");
    const line = `exec 5>${lock} 200>${lock}; exec "$@" >/dev/null`;
    const ended = run("bash", ["-c", line, "bash", ...command]);
    await eventually("it answers", async () => (await host.msync("--status")).status === 0);
    const pid = await pidOf(host);
    const targets = fs.readdirSync(`/proc/${pid}/fd`).map((one) => readLink(`/proc/${pid}/fd/${one}`));
    process.kill(pid, "SIGTERM");
    await ended;
    assert.ok(!targets.includes(lock), targets.join(" "));
    assert.ok(targets.includes("/dev/null"));
  });
}

function readLink(file: string): string {
  try {
    return fs.readlinkSync(file);
  } catch {
    return "";
  }
}

test("a hook has three descriptors, no capability, and the variables of the manual", async (context) => {
  const fleet = makeFleet(context, 2);
  const [sender, receiver] = fleet.hosts as [Host, Host];
  const seen = path.join(path.dirname(receiver.base), "seen");
  const hook = path.join(fleet.directory, "hook");
  const script = `cd ${path.dirname(seen)}; for fd in /proc/$$/fd/*; do readlink $fd; done > fds 2>&1; grep -E '^(Cap|NoNew)' /proc/self/status > status; env > env; head -c 1 /etc/shadow > shadow; touch seen`;
  fs.writeFileSync(hook, `#!/bin/bash\n${script}\nexit 0\n`, { mode: 0o755 });
  const capabilities = "+chown,+dac_override,+fowner,+fsetid";
  // As with the example keep-owner.conf.
  const inherits = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  if (isRoot)
    Object.assign(receiver, {
      place: { prefix: [...inherits, `--inh-caps=${capabilities}`, `--ambient-caps=${capabilities}`, "--"] },
    });
  receiver.environment = { FOREIGN: "1" };
  await sender.start();
  await receiver.start("--post-commit", hook, ...(isRoot ? ["--keep-owner"] : []));
  await acquainted([sender, receiver]);
  assert.match(statusOf(receiver.pid), isRoot ? /^CapEff:\t000000000000001b$/m : /^CapEff:/m);
  assert.match(statusOf(receiver.pid), /^CapInh:\t0000000000000000$/m);
  assert.match(statusOf(receiver.pid), /^CapAmb:\t0000000000000000$/m);
  fs.writeFileSync(path.join(sender.base, "file"), "text");
  const { status, stderr } = await sender.msync("file");
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  await eventually("the hook has run", () => fs.existsSync(seen));
  const read = (name: string) =>
    fs
      .readFileSync(path.join(path.dirname(seen), name), "latin1")
      .trim()
      .split("\n");
  // The shell itself has its script open, and the file that it writes to.
  const descriptors = read("fds").filter((one) => one !== hook && !one.endsWith("/fds"));
  assert.equal(descriptors.length, 3, descriptors.join(" "));
  for (const line of read("status")) {
    if (line.startsWith("NoNew")) assert.match(line, /1$/);
    else if (!line.startsWith("CapBnd")) assert.match(line, /^Cap\w+:\t0{16}$/);
  }
  const names = read("env").map((one) => one.split("=")[0] ?? "");
  for (const name of names) assert.match(name, /^(PATH|LANG|LC_ALL|TZ|MAKUOSAN_[A-Z]+|PWD|OLDPWD|SHLVL|_)$/);
  assert.equal(fs.readFileSync(path.join(path.dirname(seen), "shadow"), "latin1"), "");
});

test(
  "a lock of another user on the base directory keeps no daemon from starting",
  { skip: !isRoot && "another user needs root" },
  async (context) => {
    const [host, other] = makeFleet(context, 2).hosts as [Host, Host];
    const stranger = spawn("setpriv", [
      "--reuid=65533",
      "--regid=65533",
      "--clear-groups",
      "flock",
      "-s",
      // The signal reaches the holder of the lock itself.
      "--no-fork",
      host.base,
      "sleep",
      "60",
    ]);
    context.after(() => stranger.kill());
    await eventually(
      "it is locked",
      async () => (await run("flock", ["-n", host.base, "true"])).status !== 0,
    );
    await host.start();
    await refusesSecond(host, other);
    const { stdout } = await host.stop();
    assert.match(stdout, /^another user holds a lock on .*, and does not keep makuosan from working there$/m);
  },
);

test("a second daemon is refused, and a mark that a crash has left is not in the way", async (context) => {
  const [host, other] = makeFleet(context, 2).hosts as [Host, Host];
  await host.start();
  await refusesSecond(host, other);
  await host.stop("SIGKILL");
  await host.start();
  await refusesSecond(host, other);
});

async function refusesSecond(host: Host, other: Host): Promise<void> {
  const [program = "", ...args] = daemonCommand(other, host.base);
  const { status, stderr } = await run(program, args, { timeoutMs: 20_000 });
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^error: another makuosan works on .*: stop it first, or choose another directory with -b$/m,
  );
}
