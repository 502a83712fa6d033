import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { reason } from "../../src/base/reason.ts";
import { ExitStatus, UserError } from "../../src/base/user-error.ts";
import { socketPathOf } from "../../src/console/socket-path.ts";
import type { RequestHandler } from "../../src/console/conversation.ts";
import type { Result } from "../../src/console/protocol.ts";
import { ConsoleServer } from "../../src/console/server.ts";
import { normalizePath } from "../../src/wire/request-paths.ts";
import { type Finished, run } from "../support/processes.ts";

/** The end of the sentence about a path that does not exist: what was probably meant. */

const MAIN = path.join(import.meta.dirname, "../../src/main.ts");

const NOTHING_SENT: Result = {
  ...{
    result: "send",
    exitStatus: ExitStatus.partial,
    hosts: [],
    unknown: [],
    unknownExcepts: [],
    missing: [],
  },
  ...{ aborted: undefined, entries: 0, sentEntries: 0, sentBytes: 0, savedBytes: 0, unreadable: 1 },
  ...{ deleted: 0, differing: 0, durationMs: 0, repairedFragments: 0 },
};

/** A daemon that finds no path; its base directory has one file, and a link leads to it. */
class Daemon {
  readonly directory: string;
  readonly base: string;
  private readonly socket: string;
  members = 1;

  constructor(context: TestContext) {
    this.directory = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "makuosan-hints-"));
    context.after(() => fs.rmSync(this.directory, { recursive: true }));
    this.base = path.join(this.directory, "base");
    this.socket = path.join(this.directory, "socket");
    fs.mkdirSync(path.join(this.base, "htdocs"), { recursive: true });
    fs.writeFileSync(path.join(this.base, "htdocs/index.html"), "");
    fs.symlinkSync("base", path.join(this.directory, "link"));
  }

  async open(context: TestContext): Promise<this> {
    const server = await ConsoleServer.open(this.socket);
    server.serve({ handle: this.handle });
    context.after(() => server.close());
    return this;
  }

  private readonly handle: RequestHandler["handle"] = (request, _caller, emit) => {
    if (request.command === "status")
      return Promise.resolve({ result: "status", values: [["basedir", this.base]] });
    if (request.command !== "send") return Promise.reject(new UserError("not asked for"));
    if (this.members === 0)
      return Promise.reject(new UserError("there is no member to send to", ExitStatus.noMembers));
    for (const one of request.paths) {
      const cause = reason("ENOENT");
      const told = { path: normalizePath(one), kind: "unreadable", cause, reason: "" } as const;
      emit({ event: "notice", ...told });
    }
    return Promise.resolve(NOTHING_SENT);
  };

  /** Runs msync in a directory below that of the test. */
  msyncIn(directory: string, ...args: string[]): Promise<Finished> {
    const target = `MSYNC_TARGET=unix:${this.socket}`;
    const command = `cd "$1" && shift && ${target} exec -a msync "$@"`;
    return run("bash", [
      ...["-c", command, "bash", path.join(this.directory, directory), process.execPath, MAIN],
      ...args,
    ]);
  }

  async hintOf(directory: string, word: string): Promise<string> {
    const { status, stderr } = await this.msyncIn(directory, word);
    assert.equal(status, ExitStatus.partial);
    const [sentence = "", ...others] = stderr.trimEnd().split("\n");
    assert.deepEqual(others, []);
    const [start, hint = ""] = sentence.split("there is no such file or directory");
    assert.equal(start, `error: ${normalizePath(word)}: `);
    return hint;
  }
}

test("a word that is an option is named", async (context) => {
  const daemon = await new Daemon(context).open(context);
  assert.equal(await daemon.hintOf("", "status"), "; did you mean 'msync --status'?");
  assert.equal(await daemon.hintOf("", "md5"), "; did you mean 'msync --check'?");
  assert.equal(await daemon.hintOf("", "bye"), "; 'bye' is a command of scripts: see 'msync -f SCRIPT'");
  daemon.members = 0;
  const { status, stderr } = await daemon.msyncIn("", "help");
  assert.deepEqual(
    { status, stderr },
    { status: 4, stderr: "error: there is no member to send to; did you mean 'msync --help'?\n" },
  );
});

test("a file of the current directory is named as it is below the base directory", async (context) => {
  const daemon = await new Daemon(context).open(context);
  const below = `; paths are relative to the base directory ${daemon.base}: write 'htdocs/index.html'`;
  for (const directory of ["base/htdocs", "link/htdocs"])
    for (const word of ["index.html", "./index.html"])
      assert.equal(await daemon.hintOf(directory, word), below);
  assert.equal(await daemon.hintOf("", `${daemon.directory}/link/htdocs/index.html`), below);
  assert.equal(await daemon.hintOf("base/htdocs", "nowhere"), "");
});

test("a file elsewhere, and a pattern, get the base directory", async (context) => {
  const daemon = await new Daemon(context).open(context);
  assert.equal(
    await daemon.hintOf("", "socket"),
    `; paths are relative to the base directory ${daemon.base}`,
  );
  assert.equal(
    await daemon.hintOf("", "*.html"),
    `; a shell looks in its current directory for what matches: run msync in ${daemon.base}`,
  );
});

test("a target without a socket is refused before anything else, and a path that is too long for one", async (context) => {
  const daemon = new Daemon(context);
  const { status, stderr } = await daemon.msyncIn("", "-c", "tcp:10.0.0.1:5000");
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^error: the target 'tcp:10\.0\.0\.1:5000' names no control socket: there is no console/,
  );
  const messageOf = (target: string) => {
    try {
      return socketPathOf(target);
    } catch (error) {
      assert.ok(error instanceof UserError);
      return error.message;
    }
  };
  fs.writeFileSync(path.join(daemon.directory, "a.sock"), "");
  const named = await daemon.msyncIn("", "-c", "a.sock", "--members");
  assert.equal(named.stderr, "error: the target 'a.sock' names no control socket: give unix:a.sock\n");
  assert.equal(messageOf(`/${"x".repeat(106)}`), `/${"x".repeat(106)}`);
  assert.match(
    messageOf(`unix:/${"x".repeat(107)}`),
    /^the path of a socket can have 107 bytes, and \/x+ has 108: /,
  );
});
