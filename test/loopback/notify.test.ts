import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { LoopbackFleet } from "../support/loopback.ts";
import { eventually } from "../support/processes.ts";

/** What the service manager hears of the daemon. */

interface Library {
  func(prototype: string): (...args: unknown[]) => number;
}

const koffi = createRequire(import.meta.url)("koffi") as { load(path: null): Library };
const library = koffi.load(null);
const DATAGRAM_NONBLOCKING = 2 | 0o4000;

/** A socket such as the service manager's; node:dgram has none of this kind. */
class NotifySocket {
  readonly path: string;
  private readonly descriptor: number;

  constructor(file: string) {
    this.path = file;
    this.descriptor = library.func("int socket(int, int, int)")(1, DATAGRAM_NONBLOCKING, 0);
    const address = Buffer.concat([Buffer.from([1, 0]), Buffer.from(`${file}\0`)]);
    assert.equal(
      library.func("int bind(int, const void *, uint32_t)")(this.descriptor, address, address.length),
      0,
    );
    // The daemon may be another user than the test.
    fs.chmodSync(file, 0o777);
  }

  read(): string {
    const buffer = Buffer.alloc(4096);
    const bytes = library.func("long recv(int, void *, size_t, int)")(
      this.descriptor,
      buffer,
      buffer.length,
      0,
    );
    return buffer.toString("utf8", 0, Math.max(0, Number(bytes)));
  }

  close(): void {
    library.func("int close(int)")(this.descriptor);
  }
}

test("readiness, status and the end are told to the service manager", async (context) => {
  const fleet = LoopbackFleet.create(2);
  context.after(() => fleet.destroy());
  const [host, other] = fleet.hosts as [(typeof fleet.hosts)[0], (typeof fleet.hosts)[0]];
  const socket = new NotifySocket(path.join(path.dirname(host.base), "notify"));
  context.after(() => socket.close());
  const told: string[] = [];
  const hears = (what: RegExp) =>
    eventually(String(what), () => {
      const text = socket.read();
      if (text !== "") told.push(text);
      return told.some((one) => what.test(one));
    });
  host.environment = { NOTIFY_SOCKET: socket.path };
  await host.start();
  await hears(/^READY=1\nSTATUS=0 members$/);
  await other.start();
  await hears(/^STATUS=1 member$/);
  const { stdout } = await host.stop();
  await hears(/^STOPPING=1$/);
  for (const line of stdout.trimEnd().split("\n"))
    assert.match(line, /^<[2-7]>\S/, "each line has its priority");
});
