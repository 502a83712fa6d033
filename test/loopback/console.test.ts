import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { nastyBytes } from "../console/nasty-requests.ts";
import { acquainted, type Host } from "../support/host.ts";
import { LoopbackFleet } from "../support/loopback.ts";
import { collect, eventually, sleep } from "../support/processes.ts";

/** The control socket of real daemons: strange requests, strange names, callers, and a daemon that does not answer. */

/** Requests of this kind, sent at once before their answers are read. */
const BATCH = 50;

/** Sends lines and resolves with the number of their answers; with -1 where the connection is lost. */
function answersTo(host: Host, lines: readonly Buffer[], mostMs: number): Promise<number> {
  return new Promise((resolve) => {
    const client = net.connect(host.socket);
    let answers = 0;
    let text = "";
    const end = (count: number) => {
      clearTimeout(timer);
      client.destroy();
      resolve(count);
    };
    const timer = setTimeout(() => end(answers), mostMs);
    client.setEncoding("utf8").on("data", (data: string) => {
      text += data;
      const whole = text.split("\n");
      text = whole.pop() ?? "";
      // A push also has events, which are no answers.
      answers += whole.filter((line) => !line.startsWith('{"event"')).length;
      if (answers >= lines.length) end(answers);
    });
    client.on("error", () => end(-1));
    client.on("close", () => end(-1));
    client.write(Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")])));
  });
}

/** How many connections a daemon that is stopped has not taken yet. */
function connectionsTo(host: Host): number {
  const lines = fs.readFileSync("/proc/net/unix", "latin1").split("\n");
  return lines.filter((line) => line.endsWith(` ${host.socket}`)).length;
}

test("the control socket of real daemons", async (context) => {
  const fleet = LoopbackFleet.create(2);
  context.after(() => fleet.destroy());
  const [sender, receiver] = fleet.hosts as [Host, Host];
  await Promise.all(fleet.hosts.map((host) => host.start()));
  await acquainted(fleet.hosts);
  const inBase = (script: string) => sender.run("bash", ["-c", `cd ${sender.base} && ${script}`]);

  await context.test("no request ends the daemon", async () => {
    const { pid } = sender;
    const random = new SeededRandom(Number(process.env["SEED"] ?? "1"));
    const batches = Number(process.env["REQUESTS"] ?? "2000") / BATCH;
    for (let batch = 0; batch < batches; batch++) {
      const lines = Array.from({ length: BATCH }, () => nastyBytes(random)).filter(
        (line) => line.length > 0 && line.toString() !== '{"command":"cancel"}',
      );
      assert.equal(await answersTo(sender, lines, 20_000), lines.length, `batch ${batch}`);
    }
    const deep = Buffer.from(`{"command":${"[".repeat(5_000)}${"]".repeat(5_000)}}`);
    assert.equal(await answersTo(sender, [deep], 5_000), 1);
    assert.equal(sender.pid, pid);
    assert.equal((await sender.msync("--members")).status, 0);
    assert.equal((await sender.msync("-l", "info")).status, 0);
  });

  await context.test("a stopped daemon keeps nobody waiting who sends a signal", async () => {
    sender.kill("SIGSTOP");
    try {
      for (const [args, mostMs] of [
        [["--members"], 800],
        [["-r"], 1_800],
      ] as const) {
        const before = connectionsTo(sender);
        const child = sender.msyncProcess(...args);
        const finished = collect(child);
        await eventually("it has connected", () => connectionsTo(sender) > before);
        await sleep(700);
        const beganMs = performance.now();
        child.kill("SIGTERM");
        const { status, stderr } = await finished;
        assert.equal(status, 130);
        assert.match(stderr, /^error: msync was interrupted before the daemon [^\n]*\n$/);
        assert.ok(performance.now() - beganMs < mostMs);
      }
    } finally {
      sender.kill("SIGCONT");
    }
    await acquainted(fleet.hosts);
  });

  await context.test("names are shown as UTF-8, and never control a terminal", async () => {
    await inBase(
      "mkdir names && touch names/日本.html $'names/\\xc2\\x9b31m' $'names/\\xe2\\x80\\xae' $'names/caf\\xe9'",
    );
    const { status, stdout } = await sender.msync("-rv", "names");
    assert.equal(status, 0);
    assert.deepEqual(stdout.trimEnd().split("\n").sort(), [
      "update host2:names",
      "update host2:names/\\xc2\\x9b31m",
      "update host2:names/\\xe2\\x80\\xae",
      "update host2:names/caf\\xe9",
      "update host2:names/日本.html",
    ]);
    const missing = await inBase(`${sender.msyncCommand("日本", "$'\\xc2\\x9b'", "$'\\xe9'").join(" ")}`);
    assert.equal(missing.status, 3);
    for (const name of ["日本", "\\xc2\\x9b", "\\xe9"]) {
      assert.ok(
        missing.stderr.includes(`error: ${name}: there is no such file or directory\n`),
        missing.stderr,
      );
    }
  });

  await context.test("a group that the caller is not in is not given", async () => {
    await inBase("touch grouped");
    const { status, stderr } = await sender.msync("-g", "daemon", "grouped");
    const isRoot = process.getuid?.() === 0;
    const user = isRoot ? "nobody" : "\\S+";
    assert.equal(status, 1);
    assert.match(
      stderr,
      new RegExp(
        `^error: the user ${user} is not in the group daemon, and cannot give files to it: ` +
          "name a group of this user, or be root\n$",
      ),
    );
    const own = String(fs.statSync(path.join(sender.base, "grouped")).gid);
    assert.deepEqual(await sender.msync("-g", own, "grouped"), { status: 0, stdout: "", stderr: "" });
  });

  await context.test("the history and the log say who pushed", async () => {
    const uid = fs.statSync(path.join(sender.base, "grouped")).uid;
    const child = sender.msyncProcess("grouped");
    assert.equal((await collect(child)).status, 0);
    const { stdout } = await sender.msync("--history", "1", "--json");
    const { entries } = JSON.parse(stdout) as { entries: { by?: Record<string, unknown> }[] };
    const by = entries[0]?.by;
    assert.deepEqual([by?.["uid"], typeof by?.["user"]], [uid, "string"]);
    const received = await receiver.msync("--history", "1", "--json");
    assert.doesNotMatch(received.stdout, /"by"/);
    const log = (await sender.stop()).stdout;
    assert.ok(
      log.includes(`user=${String(by?.["user"])} uid=${uid} pid=${String(by?.["pid"])}\n`),
      "the line of the push",
    );
    for (const name of ["日本", "\\xc2\\x9b", "\\xe9"]) assert.ok(log.includes(`path=${name}\n`), name);
    assert.doesNotMatch(log, /[^\n\P{Cc}]|\u202e/u);
    await sender.start();
    await acquainted(fleet.hosts);
  });

  await context.test("without the FFI library no caller is known, and no group is given", async () => {
    await sender.stop();
    sender.environment = { MAKUOSAN_WITHOUT_FFI: "1" };
    await sender.start();
    await acquainted(fleet.hosts);
    const { status, stderr } = await sender.msync("-g", "0", "grouped");
    assert.equal(status, 1);
    assert.match(stderr, /^error: the daemon cannot tell who asks, .*: leave -g out, and use chgrp before/);
    assert.equal((await sender.msync("grouped")).status, 0);
    assert.doesNotMatch((await sender.stop()).stdout, / uid=/);
  });
});
