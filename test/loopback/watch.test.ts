import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { LoopbackFleet } from "../support/loopback.ts";
import { collect, eventually, run } from "../support/processes.ts";

/** `msync --watch`: members get what changes, as it changes. */

/** Ten thousand files take seconds on a busy machine. */
const LONG_MS = 120_000;

interface Watched {
  readonly sender: Host;
  readonly member: Host;
  readonly child: ChildProcess;
  /** All that msync has printed. */
  readonly said: () => string;
}

async function watched(context: TestContext, ...args: string[]): Promise<Watched> {
  const fleet = LoopbackFleet.create(2);
  context.after(() => fleet.destroy());
  const [sender, member] = fleet.hosts as [Host, Host];
  await Promise.all(fleet.hosts.map((host) => host.start()));
  await acquainted(fleet.hosts);
  return { sender, member, ...(await startWatch(context, sender, ...args)) };
}

async function startWatch(
  context: TestContext,
  sender: Host,
  ...args: string[]
): Promise<Pick<Watched, "child" | "said">> {
  const child = sender.msyncProcess("--watch", "-v", ...args);
  context.after(() => child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (bytes: Buffer) => (said += bytes.toString()));
  await eventually("it watches", () => {
    assert.equal(child.exitCode, null, said);
    return said.includes("watching ");
  });
  return { child, said: () => said };
}

/** Runs a line of shell in a base directory, as the user of the daemon. */
async function shell(host: Host, script: string): Promise<void> {
  const { status, stderr } = await host.run("sh", ["-c", `cd ${host.base} && ${script}`]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
}

const becomeSame = ({ sender, member, said }: Watched, mostMs?: number) =>
  eventually(
    "both trees are the same",
    async () => (await namesOf(sender)) === (await namesOf(member)),
    mostMs,
  ).catch((error: unknown) => assert.fail(`${String(error)}\n${said().slice(-2_000)}`));

/** Names and contents; the time of a directory changes with each entry, which no event tells. */
async function namesOf(host: Host): Promise<string> {
  const script =
    "find . -path ./.makuosan -prune -o -type f -exec md5sum {} + -o -printf '%y %m %p %l\\n' | LC_ALL=C sort";
  return (await host.run("sh", ["-c", `cd ${host.base} && ${script}`])).stdout;
}

test("all kinds of changes arrive, with --delete also what is gone", async (context) => {
  const at = await watched(context, "--delete");
  const { sender, child, said } = at;
  const steps = [
    ["new files", "echo 1 > a && echo 2 > b"],
    ["a changed file, an empty one, a link to nothing", "echo 11 >> a && : > empty && ln -s nowhere link"],
    ["directories with files, made at once", "mkdir -p d/e/f g && echo 3 > d/e/f/h && echo 4 > d/i"],
    ["a file in a new directory", "echo 5 > g/j"],
    ["renamed files and directories", "mv a a2 && mv d d2"],
    ["a file in a renamed directory", "echo 6 > d2/e/f/k"],
    ["a second name, another mode", "ln b b2 && chmod 600 b && chmod 700 g"],
    ["a file in place of a directory and the other way round", "rm -r g && echo 7 > g && rm b && mkdir b"],
    ["a replaced file, as editors do it", "echo 8 > .a2.new && mv .a2.new a2"],
    ["names that are no text", "echo 9 > \"$(printf 'caf\\351')\""],
    ["deleted files and directories", "rm -r d2 a2 empty link"],
  ] as const;
  for (const [name, script] of steps) {
    await context.test(name, async () => {
      await shell(sender, script);
      await becomeSame(at);
    });
  }
  assert.match(said(), /^update host2:a$/m);
  assert.match(said(), /^delete host2:d2$/m);
  assert.doesNotMatch(said(), /^(error|warning)/m);
  child.kill("SIGTERM");
  // The other host is the same a moment before the last push ends here; the signal gives it up then.
  assert.ok([0, 130].includes((await collect(child)).status ?? -1));
});

test("without --delete, and with patterns and paths, nothing else is touched", async (context) => {
  const fleet = LoopbackFleet.create(2);
  context.after(() => fleet.destroy());
  const [sender, member] = fleet.hosts as [Host, Host];
  const config = path.join(fleet.directory, "conf");
  fs.writeFileSync(config, "exclude = *.local\n");
  await Promise.all([sender.start("--config", config), member.start()]);
  await acquainted(fleet.hosts);
  await shell(sender, "mkdir -p www/in other .makuosan-like");
  await shell(sender, "echo 1 > file");
  const paths = ["/www", path.join(sender.base, "file")];
  const { said } = await startWatch(context, sender, "--exclude", "*.log", ...paths);
  const inMember = (name: string) => fs.existsSync(path.join(member.base, name));
  await eventually("the first push is made", () => inMember("www/in") && inMember("file"));
  await shell(
    sender,
    "echo 1 > www/a.log; echo 1 > www/b.local; echo 1 > other/c; mkdir www/d; echo 1 > www/d/e",
  );
  await eventually("what is wanted arrives", () => inMember("www/d/e"));
  await shell(sender, "rm -r www/d; echo 2 > file; mv www/a.log www/a");
  await eventually("the renamed file arrives", () => inMember("www/a"));
  await eventually(
    "a single file is watched",
    () => fs.readFileSync(path.join(member.base, "file"), "utf8") === "2\n",
  );
  assert.deepEqual(["www/d/e", "other", "www/b.local", "www/a.log"].map(inMember), [
    true,
    false,
    false,
    false,
  ]);
  assert.doesNotMatch(said(), /local|a\.log/);
});

test("ten thousand changes in bursts", async (context) => {
  const at = await watched(context, "--delete", "--force-delete");
  const { sender } = at;
  const burst = (from: number) =>
    `for d in $(seq ${from} ${from + 9}); do mkdir -p burst/$d; for f in $(seq 100); do echo $d$f > burst/$d/$f; done; done`;
  for (let from = 0; from < 60; from += 10) await shell(sender, burst(from));
  await shell(sender, "for d in $(seq 0 19); do mv burst/$d burst/moved$d; done; rm -r burst/2?");
  await shell(
    sender,
    "for d in $(seq 30 59); do for f in $(seq 50); do mv burst/$d/$f burst/$d/m$f; done; done",
  );
  // What vanishes in the middle of a push is told, and pushed again.
  await becomeSame(at, LONG_MS);
});

test("if the kernel has lost events, everything is compared", async (context) => {
  const at = await watched(context, "--delete", "--force-delete");
  const { sender, child } = at;
  await shell(sender, "mkdir many && echo 1 > gone");
  await becomeSame(at);
  child.kill("SIGSTOP");
  const queue = Number(fs.readFileSync("/proc/sys/fs/inotify/max_queued_events", "latin1"));
  // Each file is created, closed and removed. Then follows what nobody hears of.
  await shell(sender, `for f in $(seq ${Math.ceil(queue / 2)}); do : > many/$f; done; rm -r many`);
  await shell(sender, "rm gone && mkdir -p unseen/deep && echo 1 > unseen/deep/file");
  child.kill("SIGCONT");
  await becomeSame(at, LONG_MS);
  await shell(sender, "echo 2 > unseen/deep/later");
  await becomeSame(at);
});

test("a daemon that is restarted and a member that comes late are waited for", async (context) => {
  const at = await watched(context);
  const { sender, member, said } = at;
  await shell(sender, "echo 1 > first");
  await becomeSame(at);
  await sender.stop();
  await shell(sender, "echo 2 > second");
  await eventually("the failure is told", () =>
    /^warning: no makuosan answers on .*; it is tried again in 1 s$/m.test(said()),
  );
  await sender.start();
  await becomeSame(at, LONG_MS);
  await eventually("so is the end of it", () =>
    said().includes("warning: all that had failed has been pushed now\n"),
  );
  await member.stop();
  await eventually("it has left", async () => (await sender.msync("--members")).stdout.includes("Total: 0"));
  await shell(sender, "echo 3 > third");
  await eventually("that there is no member is told", () => said().includes("there is no member to send to"));
  await member.start();
  await acquainted([sender, member]);
  await becomeSame(at, LONG_MS);
});

test("it ends with a signal, although the directory that was watched last is gone", async (context) => {
  const at = await watched(context, "--delete");
  await shell(at.sender, "mkdir last && echo 1 > last/file");
  await becomeSame(at);
  await shell(at.sender, "rm -r last");
  await becomeSame(at);
  at.child.kill("SIGTERM");
  await eventually("it ends", () => at.child.exitCode !== null);
});

test("a path that a push would refuse is refused at once, in the same words", async (context) => {
  const fleet = LoopbackFleet.create(1);
  context.after(() => fleet.destroy());
  const [host] = fleet.hosts as [Host];
  await host.start();
  await shell(host, "mkdir .makuosan-like dir");
  for (const name of [".makuosan/x", path.join(host.base, ".makuosan"), "dir/../../x"]) {
    const watching = await host.msync("--watch", name);
    assert.equal(watching.status, 1, name);
    assert.match(watching.stderr, /^error: '.*' (is where transfers are staged|leads out of the base)/);
    if (!name.startsWith("/")) assert.equal(watching.stderr, (await host.msync(name)).stderr);
  }
});

test("a tree with more directories than the user may watch is refused, with the setting", async (context) => {
  const fleet = LoopbackFleet.create(1);
  context.after(() => fleet.destroy());
  const [host] = fleet.hosts as [Host];
  await host.start();
  await shell(host, "for d in $(seq 20); do mkdir $d; done");
  const [program = "", ...args] = host.msyncCommand("--watch");
  const limited = [
    "-Ur",
    "sh",
    "-c",
    'echo 5 > /proc/sys/user/max_inotify_watches && exec "$@"',
    "sh",
    program,
  ];
  const allowed = await run("unshare", ["-Ur", "true"]);
  if (allowed.status !== 0) {
    context.skip("user namespaces are not there");
    return;
  }
  const { status, stderr } = await host.run("unshare", [...limited, ...args]);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^error: .* cannot be watched: this user may watch 5 directories, .* run 'sysctl -w fs\.inotify\.max_user_watches=524288'/,
  );
});
