import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { rawArguments } from "../../src/cli/arguments.ts";
import type { RequestHandler } from "../../src/console/conversation.ts";
import type { Event, Result } from "../../src/console/protocol.ts";
import { type Reason, reason, sentenceOf } from "../../src/base/reason.ts";
import { ConsoleServer } from "../../src/console/server.ts";
import { collect, type Finished, run } from "../support/processes.ts";

/** The program msync beside a daemon that only talks: its output, its signals, its arguments. */

const MAIN = path.join(import.meta.dirname, "../../src/main.ts");

/** Starts msync; `redirection` is a piece of shell behind the command line. */
function start(args: readonly string[], redirection = "", name = "msync"): ChildProcess {
  const command = `exec -a ${name} "$@" ${redirection}`;
  return spawn("bash", ["-c", command, "bash", process.execPath, MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, MSYNC_TARGET: "" },
  });
}

function directoryOf(context: TestContext): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-msync-"));
  context.after(() => fs.rmSync(directory, { recursive: true }));
  return directory;
}

async function daemon(context: TestContext, handle: RequestHandler["handle"]): Promise<string[]> {
  const socket = path.join(directoryOf(context), "socket");
  const server = await ConsoleServer.open(socket);
  server.serve({ handle });
  context.after(() => server.close());
  return ["-c", `unix:${socket}`];
}

const SENT: Result = {
  ...{ result: "send", exitStatus: 0, hosts: [], unknown: [], unknownExcepts: [], aborted: undefined },
  missing: [],
  ...{
    entries: 0,
    sentEntries: 0,
    sentBytes: 0,
    savedBytes: 0,
    unreadable: 0,
    deleted: 0,
    differing: 0,
    durationMs: 0,
  },
  repairedFragments: 0,
};

/** Answers everything, with an event for each push. */
const talkative: RequestHandler["handle"] = (request, _caller, emit) => {
  if (request.command === "members")
    return Promise.resolve({ result: "members", members: [], problems: [], isSealed: true });
  if (request.command === "status") return Promise.resolve({ result: "status", values: [["host", "a"]] });
  if (request.command === "history") {
    const entry = {
      time: "x",
      direction: "sent",
      transfer: "1",
      from: "a",
      entries: 0,
      bytes: 0,
      durationMs: 0,
    };
    return Promise.resolve({
      result: "history",
      entries: [{ ...entry, hosts: [], exitStatus: 0 }],
    } as Result);
  }
  if (request.command !== "send") return Promise.resolve({ result: "ok" });
  emit({ event: "path", path: "a", updates: ["b"], skips: [], differences: [] });
  return Promise.resolve(SENT);
};

test("output that cannot be written is an error of every command", async (context) => {
  const target = await daemon(context, talkative);
  const script = path.join(directoryOf(context), "script");
  fs.writeFileSync(script, "members\n");
  const commands = [
    ...[["--members"], ["--status"], ["--history"], ["--members", "--json"], ["-l", "info", "--json"]],
    ...[
      ["-v", "a"],
      ["-n", "a"],
      ["--json", "a"],
      ["-f", script],
    ],
  ].map((args) => [...target, ...args]);
  for (const args of [...commands, ["--keygen"], ["--help"], ["--version"]]) {
    assert.deepEqual(
      await collect(start(args, "> /dev/full")),
      {
        status: 1,
        stdout: "",
        stderr: "error: the output cannot be written (ENOSPC): make room, or send it to another place\n",
      },
      args.join(" "),
    );
  }
});

test("options of a push hold in a script, from its line or from the command line", async (context) => {
  const asked: unknown[] = [];
  const target = await daemon(context, (request, caller, emit, signal) => {
    if (request.command === "send")
      asked.push([request.paths[0], request.compression, request.sendsAttributes, request.wholeFile]);
    return talkative(request, caller, emit, signal);
  });
  const script = path.join(directoryOf(context), "script");
  // Some editors begin a file with the mark for the order of bytes.
  fs.writeFileSync(script, "\uFEFFsend --no-compress a\nsend --xattrs -W b\n");
  const { status, stderr } = await collect(start([...target, "--compress", "-f", script]));
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  assert.deepEqual(asked, [
    ["a", "no", false, undefined],
    ["b", "yes", true, true],
  ]);
});

test("a command that failed anyway keeps its status", async (context) => {
  const target = await daemon(context, (_request, _caller, emit) => {
    emit({ event: "path", path: "a", updates: ["b"], skips: [], differences: [] });
    return Promise.resolve({ ...SENT, exitStatus: 3 } as Result);
  });
  assert.equal((await collect(start([...target, "-v", "a"], "> /dev/full"))).status, 3);
});

test("with closed descriptors a push is made, and no line of its output gets into the connection", async (context) => {
  const asked: string[] = [];
  const target = await daemon(context, (request, caller, emit, signal) => {
    asked.push(request.command);
    return talkative(request, caller, emit, signal);
  });
  // Node opens /dev/null in their place.
  for (const args of [["--members"], ["-v", "a"]]) {
    assert.deepEqual(await collect(start([...target, ...args], "<&- >&- 2>&-")), {
      ...{ status: 0, stdout: "", stderr: "" },
    });
  }
  assert.deepEqual(asked, ["members", "send"]);
});

test("the daemon's command says it, too, if its output cannot be written", async (context) => {
  const config = path.join(directoryOf(context), "conf");
  fs.writeFileSync(config, `base = ${os.tmpdir()}\n`);
  const sysconfig = path.join(directoryOf(context), "sysconfig");
  fs.writeFileSync(sysconfig, "BASEDIR=/srv\n");
  const tasks = [["--help"], ["--version"], ["--config", config, "--check-config"]];
  for (const args of [...tasks, ["--import-sysconfig", sysconfig]]) {
    assert.deepEqual(
      await collect(start(args, "> /dev/full", "makuosan")),
      {
        status: 1,
        stdout: "",
        stderr: "error: the output cannot be written (ENOSPC): make room, or send it to another place\n",
      },
      args.join(" "),
    );
  }
});

test("a pipe that nobody reads any more is told at the end", async (context) => {
  const target = await daemon(context, (_request, _caller, emit) => {
    for (let count = 0; count < 20_000; count++) {
      emit({ event: "path", path: `a${count}`, updates: ["b"], skips: [], differences: [] });
    }
    return Promise.resolve(SENT);
  });
  const child = start([...target, "-v", "a"], "> >(head -1 >&2)");
  const { status, stderr } = await collect(child);
  assert.equal(status, 1);
  assert.deepEqual(stderr.split("\n").sort(), [
    "",
    "error: nobody reads the output any more (EPIPE): the command was carried out, and a part of its output is missing",
    "update b:a0",
  ]);
});

/** Ends msync by a signal when the daemon has its request; how it ended, and after how long. */
async function interrupt(
  context: TestContext,
  args: readonly string[],
  signal: NodeJS.Signals,
): Promise<Finished & { ms: number }> {
  // A daemon that is stopped: it takes the connection, and never answers.
  const file = path.join(directoryOf(context), "socket");
  const sockets = new Set<net.Socket>();
  const asked = new Promise<void>((resolve) => {
    const server = net.createServer((socket) => {
      sockets.add(socket.on("error", () => undefined));
      socket.once("data", () => resolve());
    });
    server.listen(file);
    context.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
  });
  while (!fs.existsSync(file)) await new Promise((resolve) => setImmediate(resolve));
  const child = start(["-c", `unix:${file}`, ...args]);
  const finished = collect(child);
  await asked;
  const beganMs = performance.now();
  child.kill(signal);
  return { ...(await finished), ms: performance.now() - beganMs };
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} ends what a stopped daemon does not answer`, async (context) => {
    for (const args of [["--members"], ["--status", "--json"], ["--history"], ["-l", "info"]]) {
      const { ms, ...finished } = await interrupt(context, args, signal);
      assert.deepEqual(finished, {
        status: 130,
        stdout: "",
        stderr: "error: msync was interrupted before the daemon answered: repeat the command\n",
      });
      assert.ok(ms < 700, `${args.join(" ")} took ${ms} ms`);
    }
    for (const args of [["a"], ["--wait", "3"], ["--json", "-r"]]) {
      const { ms, ...finished } = await interrupt(context, args, signal);
      assert.deepEqual(finished, {
        status: 130,
        stdout: "",
        stderr:
          "error: msync was interrupted before the daemon gave the result: " +
          "see 'msync --history' when it answers again\n",
      });
      assert.ok(ms > 900 && ms < 1_700, `${args.join(" ")} took ${ms} ms`);
    }
  });
}

test("a push that the daemon gives up has the status of that", async (context) => {
  const emits: ((event: Event) => void)[] = [];
  const target = await daemon(
    context,
    (_request, _caller, emit, signal) =>
      new Promise((resolve) => {
        emits.push(emit);
        signal.addEventListener("abort", () =>
          resolve({ ...SENT, exitStatus: 3, aborted: "msync was interrupted" }),
        );
        emit({ event: "notice", kind: "skipped", path: "a", reason: "b" });
      }),
  );
  const child = start([...target, "-v", "a"]);
  child.stdout?.once("data", () => child.kill("SIGTERM"));
  assert.deepEqual(await collect(child), {
    status: 130,
    stdout: "ignore a: b\n",
    stderr: "error: nothing was changed anywhere: msync was interrupted\n",
  });
});

test("what one host has refused for all is said once, with how to fix it", async (context) => {
  const full = reason("ENOSPC", "d/f");
  const text = sentenceOf(full);
  const failed = (host: string, why: string, cause?: Reason) =>
    ({
      host,
      address: "a",
      outcome: "failed",
      reason: why,
      ...(cause === undefined ? {} : { cause }),
    }) as const;
  const hosts = [failed("host1", `host2: ${text}`), failed("host2", text, full), failed("host3", "other")];
  const target = await daemon(context, () =>
    Promise.resolve({ ...SENT, exitStatus: 6, hosts, aborted: `host2: ${text}` }),
  );
  for (const args of [["--all-or-nothing", "d"], ["--undo"]]) {
    const { status, stderr } = await collect(start([...target, ...args]));
    assert.equal(status, 6);
    assert.match(
      stderr,
      /^error: nothing was changed anywhere: host2: d\/f: no space .*\(.*\)\nerror: host3: other\n$/,
    );
  }
});

test("names reach no terminal raw", async (context) => {
  const name = Buffer.from("日\u009b31m\u202e").toString("latin1") + "\xff";
  const shown = "日\\xc2\\x9b31m\\xe2\\x80\\xae\\xff";
  const target = await daemon(context, (request, _caller, emit) => {
    if (request.command === "members") {
      const member = { address: "a", version: "1", protocol: 3, receives: true, sends: true, labels: [name] };
      return Promise.resolve({
        result: "members",
        members: [{ ...member, host: name }],
        problems: [],
        isSealed: true,
      });
    }
    if (request.command === "status") return Promise.resolve({ result: "status", values: [["host", name]] });
    if (request.command === "history") {
      const entry = { time: "x", direction: "sent", transfer: "1", entries: 0, bytes: 0, durationMs: 0 };
      const hosts = [{ host: name, outcome: "failed", reason: name }];
      return Promise.resolve({
        result: "history",
        entries: [{ ...entry, from: name, hosts }],
      } as unknown as Result);
    }
    emit({ event: "path", path: name, updates: [name], skips: [], differences: [] });
    emit({ event: "note", host: name, path: name, reason: name });
    emit({ event: "notice", kind: "unreadable", path: name, reason: name });
    return Promise.resolve({ ...SENT, unknown: [name] } as Result);
  });
  const show = (...args: string[]) => collect(start([...target, ...args]));
  assert.equal((await show("--members", "-v")).stdout, `${shown} a (Ver1) ${shown}\nTotal: 1 members\n`);
  assert.equal((await show("--status")).stdout, `host : ${shown}\n`);
  assert.equal(
    (await show("--history")).stdout,
    `x sent     from ${shown}: 0 entries, 0 bytes, 0.00 s: 0 of 1 done\n  ${shown}: failed: ${shown}\n`,
  );
  assert.deepEqual(await show("-v", "a"), {
    status: 0,
    stdout: `update ${shown}:${shown}\n`,
    stderr:
      `warning: ${shown}:${shown}: ${shown}\nerror: ${shown}: ${shown}\n` +
      `error: ${shown} is not a member: 'msync --members' lists those that are there\n`,
  });
  const { stdout } = await show("--json", "a");
  assert.doesNotMatch(stdout, /[^\n\P{Cc}]|\u202e/u);
  const [event] = stdout.split("\n");
  assert.deepEqual((JSON.parse(event ?? "") as { path: string }).path, name, "as it was before");
});

test("arguments come byte by byte, and from Node where /proc is not mounted", () => {
  const own = process.argv.slice(2);
  assert.deepEqual(rawArguments([]), []);
  assert.deepEqual(rawArguments(["a", "日"], "/nowhere"), ["a", "\xe6\x97\xa5"]);
  assert.deepEqual(rawArguments(["a"], "/dev/null"), ["a"]);
  if (own.length > 0) assert.equal(rawArguments(own).length, own.length);
});

const mountProblem = process.getuid?.() !== 0 && "hiding /proc needs root";

test("without /proc every command works", { skip: mountProblem }, async (context) => {
  const target = await daemon(context, talkative);
  for (const args of [["--members"], ["--status"], ["-v", "a"], ["--help"], ["--wait", "1"]]) {
    const hidden = 'mount -t tmpfs none /proc && exec -a msync "$@"';
    const { status, stderr } = await run("unshare", [
      ...["--mount", "--propagation", "private", "bash", "-c", hidden, "bash"],
      ...[process.execPath, MAIN, ...target, ...args],
    ]);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" }, args.join(" "));
  }
});

test("arguments of any bytes arrive", async (context) => {
  const asked: string[] = [];
  const target = await daemon(context, (request) => {
    if (request.command === "send") asked.push(...request.paths);
    return Promise.resolve(SENT);
  });
  const child = start([...target], "$'caf\\xe9' 日");
  assert.equal((await collect(child)).status, 0);
  assert.deepEqual(asked, ["caf\xe9", "\xe6\x97\xa5"]);
});

test("a script that is saved in another encoding is told so, with the line", async (context) => {
  const script = path.join(directoryOf(context), "script");
  fs.writeFileSync(script, Buffer.from("members\n", "utf16le"));
  const { status, stderr } = await collect(start(["-f", script, ...(await daemon(context, talkative))]));
  assert.equal(status, 1);
  assert.equal(
    stderr,
    `error: ${script}:1: the line has a NUL byte in it: save the script as text in UTF-8\n`,
  );
});
