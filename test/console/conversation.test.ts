import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { below, SeededRandom } from "../../src/base/random.ts";
import { ExitStatus, UserError } from "../../src/base/user-error.ts";
import { ConsoleClient } from "../../src/console/client.ts";
import type { RequestHandler } from "../../src/console/conversation.ts";
import {
  CANCEL_LINE,
  CLIENTS,
  CLIENTS_OF_USER,
  type Request,
  type Result,
} from "../../src/console/protocol.ts";
import { ConsoleServer } from "../../src/console/server.ts";
import type { PeerCredentials } from "../../src/sys/peer-credentials.ts";
import { eventually, sleep } from "../support/processes.ts";
import { nastyBytes } from "./nasty-requests.ts";

/** The control socket as clients of every kind meet it. */

type Handle = RequestHandler["handle"];

async function serve(
  context: TestContext,
  handle: Handle,
  callerOf?: (socket: net.Socket) => PeerCredentials | undefined,
): Promise<string> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-console-"));
  const socket = path.join(directory, "socket");
  const server = await ConsoleServer.open(socket);
  server.serve({ handle }, callerOf);
  context.after(() => {
    server.close();
    fs.rmSync(directory, { recursive: true });
  });
  return socket;
}

const answers: Handle = () => Promise.resolve({ result: "ok" });

/** Writes the bytes in pieces, and resolves with this many answers, or with all that there were before the end. */
function converse(socket: string, pieces: readonly (string | Buffer)[], count: number): Promise<Result[]> {
  return new Promise((resolve, reject) => {
    const client = net.connect(socket);
    let text = "";
    const lines = () => text.split("\n").slice(0, -1);
    const end = () => {
      client.destroy();
      resolve(lines().map((line) => JSON.parse(line) as Result));
    };
    client.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      if (lines().length >= count) end();
    });
    client.once("error", (error: NodeJS.ErrnoException) =>
      ["ECONNRESET", "EPIPE"].includes(error.code ?? "") ? end() : reject(error),
    );
    client.once("close", end);
    for (const piece of pieces) client.write(piece);
  });
}

test("each of many random requests gets one answer, and the daemon stays", async (context) => {
  const seen: string[] = [];
  const socket = await serve(context, (request) => {
    seen.push(request.command);
    return Promise.resolve({ result: "ok" });
  });
  const random = new SeededRandom(20_261_128);
  let refused = 0;
  for (let round = 0; round < 60; round++) {
    // Empty lines are passed over, and the line that cancels has no answer.
    const requests = Array.from({ length: 50 }, () => nastyBytes(random)).filter(
      (bytes) => bytes.length > 0 && bytes.toString() !== CANCEL_LINE,
    );
    const stream = Buffer.concat(requests.flatMap((bytes) => [bytes, Buffer.from("\n")]));
    const pieces: Buffer[] = [];
    for (let start = 0; start < stream.length;) {
      const end = start + 1 + below(random, 20_000);
      pieces.push(stream.subarray(start, end));
      start = end;
    }
    const results = await converse(socket, pieces, requests.length);
    assert.equal(results.length, requests.length, `round ${round}`);
    for (const result of results) {
      if (result.result !== "error") continue;
      refused++;
      assert.equal(result.exitStatus, 1);
      assert.match(result.message, /^(one of )?the (request|daemon)\b.{0,200}$/);
    }
  }
  assert.ok(refused > 1_000);
  assert.ok(seen.length > 20, "some of them are requests");
});

test("a request that is nested too deeply is answered", async (context) => {
  const socket = await serve(context, answers);
  for (const levels of [5_000, 1_000_000]) {
    const line = `{"command":${"[".repeat(levels)}${"]".repeat(levels)}}\n`;
    assert.deepEqual(await converse(socket, [line, '{"command":"status"}\n'], 2), [
      { result: "error", message: "the request's command is not text", exitStatus: 1 },
      { result: "ok" },
    ]);
  }
});

test("too much at once is refused with a sentence", { timeout: 10_000 }, async (context) => {
  const socket = await serve(context, () => new Promise(() => undefined));
  const refusal = async (...pieces: string[]) => {
    const [result] = await converse(socket, pieces, 1);
    return result?.result === "error" ? result.message : "";
  };
  assert.match(await refusal("x".repeat(5 * 1024 * 1024)), /^the request is too long: /);
  assert.match(await refusal('{"command":"status"}\n'.repeat(300)), /^too many requests wait: /);
  assert.match(
    await refusal(...Array.from({ length: 5 }, () => `{"command":"${"x".repeat(3_000_000)}"}\n`)),
    /^(too many requests wait|the daemon does not know)/,
  );
});

test("results that a client does not read do not pile up", async (context) => {
  let made = 0;
  const values: [string, string][] = [["x", "y".repeat(8 * 1024 * 1024)]];
  const socket = await serve(context, () => {
    made++;
    return Promise.resolve({ result: "status", values });
  });
  const client = net.connect(socket);
  context.after(() => client.destroy());
  client.pause();
  client.write('{"command":"status"}\n'.repeat(30));
  await eventually("some are made", () => made >= 2);
  await sleep(500);
  assert.ok(made <= 8, `${made} results of 8 MiB`);
  const more = new Promise<void>((resolve) => {
    let bytes = 0;
    client.on("data", (data: Buffer) => {
      bytes += data.length;
      if (bytes > 30 * 8 * 1024 * 1024) resolve();
    });
  });
  client.resume();
  await more;
  assert.equal(made, 30, "when it reads, it gets them all");
});

test("a request that is taken back in the same breath is given up", { timeout: 10_000 }, async (context) => {
  const given: string[] = [];
  const socket = await serve(
    context,
    (request, _caller, _emit, signal) =>
      new Promise((resolve, reject) => {
        given.push(request.command);
        const end = () => reject(new UserError("interrupted", ExitStatus.interrupted));
        if (request.command !== "wait") resolve({ result: "ok" });
        else if (signal.aborted) end();
        else signal.addEventListener("abort", end);
      }),
  );
  const wait = '{"command":"wait","members":9,"seconds":60,"targets":[],"excepts":[]}';
  const results = await converse(socket, [`${wait}\n${CANCEL_LINE}\n{"command":"members"}\n`], 2);
  assert.deepEqual(results, [{ result: "error", message: "interrupted", exitStatus: 130 }, { result: "ok" }]);
  assert.deepEqual(given, ["wait", "members"]);
});

/** Clients of a user, and whether the daemon answers each. */
async function connectAll(socket: string, count: number): Promise<boolean[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => ConsoleClient.connect(socket)));
  const asked = clients.map((client) => client.request({ command: "status" }, () => undefined));
  return (await Promise.allSettled(asked)).map(({ status }) => status === "fulfilled");
}

test("a client that is one too many hears why, also if it has asked before", async (context) => {
  const socket = await serve(context, answers);
  const most = process.geteuid?.() === 0 ? CLIENTS : CLIENTS_OF_USER;
  assert.ok((await connectAll(socket, most)).every((isAnswered) => isAnswered));
  const ofUser = most === CLIENTS ? "" : " of this user";
  for (let late = 0; late < 20; late++) {
    const [answer, ...rest] = await converse(socket, ['{"command":"status"}\n'.repeat(1 + 5 * late)], 2);
    const message = `${most} clients${ofUser} are connected already: try again later`;
    assert.deepEqual(answer, { result: "error", message, exitStatus: ExitStatus.unreachable });
    assert.deepEqual(rest, []);
  }
});

test("a client that is one too many and asks late hears why, too", async (context) => {
  const socket = await serve(context, answers, () => ({ pid: 1, uid: 1001, gid: 1001 }));
  await connectAll(socket, CLIENTS_OF_USER);
  const client = net.connect(socket);
  const errors: Error[] = [];
  client.on("error", (error) => errors.push(error));
  await once(client, "connect");
  // The server has its turns, and the client has not read anything.
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  await new Promise((resolve) => client.write('{"command":"status"}\n', resolve));
  const text = Buffer.concat(await client.toArray()).toString();
  assert.match(text, /^\{"result":"error","message":"32 clients of this user are connected already: /);
  assert.deepEqual(errors, []);
});

test("a user has half of the places, and root is let in when all are taken", async (context) => {
  let uid: number | undefined = 1001;
  const socket = await serve(context, answers, () =>
    uid === undefined ? undefined : { pid: 1, uid, gid: uid },
  );
  const answered = async (count: number) => (await connectAll(socket, count)).filter((one) => one).length;
  assert.equal(await answered(CLIENTS), CLIENTS_OF_USER);
  uid = 1002;
  assert.equal(await answered(CLIENTS), CLIENTS - CLIENTS_OF_USER);
  uid = 1003;
  assert.equal(await answered(1), 0);
  uid = undefined;
  assert.equal(await answered(1), 0);
  uid = 0;
  assert.equal(await answered(CLIENTS + 1), CLIENTS);
});

test("a request that is too long is answered, although the rest of it is still on its way", async (context) => {
  const socket = await serve(context, answers);
  const results = await converse(
    socket,
    Array.from({ length: 30 }, () => "x".repeat(1024 * 1024)),
    1,
  );
  const message = "the request is too long: send less at a time";
  assert.deepEqual(results, [{ result: "error", message, exitStatus: 1 }]);
});

test("the process that asks is known", async (context) => {
  const callers: (PeerCredentials | undefined)[] = [];
  const socket = await serve(context, (_request: Request, caller) => {
    callers.push(caller);
    return Promise.resolve({ result: "ok" });
  });
  await converse(socket, ['{"command":"status"}\n'], 1);
  assert.deepEqual(callers, [
    { pid: process.pid, uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 },
  ]);
});
