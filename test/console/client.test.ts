import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { ExitStatus, UserError } from "../../src/base/user-error.ts";
import { ConsoleClient } from "../../src/console/client.ts";

/** What msync makes of programs that are no makuosan. */

for (const answer of ["hello\n", "5\n", "null\n", '"text"\n', "{\n", "[\n\n", "\xff\n"]) {
  test(`the answer ${JSON.stringify(answer)} is an error with a sentence`, async (context) => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-client-"));
    const file = path.join(directory, "socket");
    const server = net.createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.write(answer));
    });
    await new Promise<void>((resolve) => server.listen(file, resolve));
    const client = await ConsoleClient.connect(file);
    context.after(() => {
      client.close();
      server.close();
      fs.rmSync(directory, { recursive: true });
    });
    await assert.rejects(
      client.request({ command: "status" }, () => undefined),
      (error) =>
        error instanceof UserError &&
        error.exitStatus === ExitStatus.unreachable &&
        /^what answers on the socket is no makuosan: /.test(error.message),
    );
    assert.equal(client.isClosed, true);
  });
}

test("msync can ask the daemon to give up what takes long, and nothing else", async (context) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-client-"));
  const file = path.join(directory, "socket");
  const server = net.createServer((socket) => socket.on("error", () => undefined).resume());
  await new Promise<void>((resolve) => server.listen(file, resolve));
  context.after(() => {
    server.close();
    fs.rmSync(directory, { recursive: true });
  });
  for (const [request, isCancellable] of [
    [{ command: "undo", id: "", detail: "none", progress: false }, true],
    [{ command: "wait", members: 1, seconds: 1, targets: [], excepts: [] }, true],
    [{ command: "status" }, false],
  ] as const) {
    const client = await ConsoleClient.connect(file);
    const answer = client.request(request, () => undefined);
    const was = client.isCancellable;
    client.abandon(new UserError("enough", ExitStatus.interrupted));
    await assert.rejects(answer, /enough/);
    assert.equal(was, isCancellable, request.command);
  }
});
