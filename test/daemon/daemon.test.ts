import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { pino } from "pino";
import { UserError } from "../../src/base/user-error.ts";
import { ConsoleServer } from "../../src/console/server.ts";
import { type Daemon, startDaemon } from "../../src/daemon/daemon.ts";
import { DiskThreads } from "../../src/daemon/disk/disk-threads.ts";
import { Driver } from "../../src/daemon/pump/driver.ts";
import { History } from "../../src/daemon/pushes/history.ts";
import { Hooks } from "../../src/daemon/pushes/hooks.ts";
import { Transfers } from "../../src/daemon/pushes/transfers.ts";
import { InterfaceWatch } from "../../src/daemon/service/interface-watch.ts";
import { resolveSettings, type Settings } from "../../src/daemon/settings/settings.ts";
import { MulticastTransport } from "../../src/net/transports/multicast-transport.ts";
import { nextPort } from "../support/ports.ts";
import { eventually, sleep } from "../support/processes.ts";

/** Starts and stops of a whole daemon in this process, on the loopback network. */

const PORT = nextPort();
const GROUP = "224.0.0.110";
/** What a stop gives back late is there within milliseconds; a busy machine gets a thousand times that. */
const PATIENCE_MS = 3_000;
const SILENT = pino({ level: "silent" });

function makeSettings(context: TestContext): Settings {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-daemon-"));
  context.after(() => fs.rmSync(directory, { recursive: true }));
  for (const name of ["base", "state"]) fs.mkdirSync(path.join(directory, name));
  const places = {
    base: path.join(directory, "base"),
    state: path.join(directory, "state"),
    socket: path.join(directory, "socket"),
  };
  return resolveSettings(
    { ...places, interface: "127.0.0.2", multicast: GROUP, port: PORT },
    { values: {}, places: {} },
  );
}

/** Starts a daemon that is stopped at the end of the test at the latest. */
async function start(context: TestContext, settings: Settings): Promise<Daemon> {
  const nothing = () => undefined;
  const surroundings = {
    networkPatienceMs: 0,
    onWaiting: nothing,
    onTurn: nothing,
    stateDirectory: undefined,
  };
  const daemon = await startDaemon(settings, SILENT, surroundings);
  context.after(() => daemon.stop());
  return daemon;
}

/** Notes when a part is stopped, and stops it all the same. */
function noteStops(context: TestContext): string[] {
  const stops: string[] = [];
  const note = <Part extends object>(name: string, part: Part, method: keyof Part) => {
    const original = part[method] as (...values: unknown[]) => unknown;
    const noted = function (this: unknown, ...values: unknown[]) {
      stops.push(name);
      return original.apply(this, values);
    };
    // The mock cannot know that the method has the type that it had before.
    context.mock.method(part, method as never, noted as never);
  };
  note("pushes", Transfers.prototype, "stop");
  note("hooks", Hooks.prototype, "stop");
  note("watch", InterfaceWatch.prototype, "stop");
  note("pump", Driver.prototype, "stop");
  note("drain", MulticastTransport.prototype, "drain");
  note("transport", MulticastTransport.prototype, "close");
  note("control socket", ConsoleServer.prototype, "close");
  note("disk threads", DiskThreads.prototype, "stop");
  note("history", History.prototype, "flush");
  return stops;
}

/** How many sockets and worker threads this process has, and how many locks there are on the base directory. */
function held(base: string) {
  const descriptors = eachOf("/proc/self/fd", (file) => fs.readlinkSync(file));
  const locks = fs.readFileSync("/proc/locks", "latin1").split("\n");
  const { ino: inode } = fs.statSync(base);
  const threads = eachOf("/proc/self/task", (task) => fs.readFileSync(`${task}/comm`, "latin1").trim());
  return {
    sockets: descriptors.filter((one) => one.startsWith("socket:")).length,
    locks: locks.filter((line) => line.includes("FLOCK") && line.includes(`:${inode} `)).length,
    threads: threads.filter((one) => one === "WorkerThread").length,
  };
}

/** Reads each entry of a directory of the kernel; one may vanish meanwhile. */
function eachOf(directory: string, read: (file: string) => string): string[] {
  return fs.readdirSync(directory).flatMap((name) => {
    try {
      return [read(path.join(directory, name))];
    } catch {
      return [];
    }
  });
}

const STOPS = [
  "pushes",
  "hooks",
  "watch",
  "pump",
  "drain",
  "transport",
  "control socket",
  "disk threads",
  "history",
];

test("a daemon stops its parts in the reverse order of their start, and can be started again", async (context) => {
  const settings = makeSettings(context);
  const before = held(settings.base);
  const stops = noteStops(context);
  for (let round = 0; round < 2; round++) {
    const daemon = await start(context, settings);
    // A thread that has just been started has no name yet.
    await eventually("the disk threads run", () => held(settings.base).threads === before.threads + 2);
    const during = held(settings.base);
    assert.ok(during.sockets > before.sockets, JSON.stringify(during));
    assert.equal(during.locks, 1);
    assert.equal(daemon.status(), "0 members");
    assert.ok(fs.existsSync(settings.socket ?? ""));
    await daemon.stop();
    await givenBack(settings.base, before);
    assert.ok(!fs.existsSync(settings.socket ?? ""));
    assert.deepEqual(stops.splice(0), STOPS);
  }
});

for (const [name, part, method, stopped] of [
  [
    "before the lock of the base directory",
    History,
    "open",
    // What was opened and never put to work is stopped by its opening.
    ["control socket", "transport"],
  ],
  [
    "when the event pump starts",
    Driver.prototype,
    "start",
    ["pushes", "hooks", "transport", "control socket", "disk threads", "history"],
  ],
  [
    "when the last part starts",
    InterfaceWatch.prototype,
    "start",
    ["pushes", "hooks", "pump", "drain", "transport", "control socket", "disk threads", "history"],
  ],
] as const) {
  test(`a start that fails ${name} leaves no socket, lock or thread behind`, async (context) => {
    const settings = makeSettings(context);
    const before = held(settings.base);
    const stops = noteStops(context);
    const failure = () => {
      throw new UserError("this part does not start");
    };
    // What they have in common is that the method is there.
    const broken = context.mock.method(part as unknown as Record<string, () => void>, method, failure);
    await assert.rejects(start(context, settings), /this part does not start/);
    assert.deepEqual(stops.splice(0), stopped);
    await givenBack(settings.base, before);
    assert.ok(!fs.existsSync(settings.socket ?? ""));
    // Port, control socket and lock are free: the next start succeeds.
    broken.mock.restore();
    await (await start(context, settings)).stop();
  });
}

test("a base directory that another daemon has locked leaves that one alone", async (context) => {
  const settings = makeSettings(context);
  const { threads } = held(settings.base);
  const first = await start(context, settings);
  await eventually("the disk threads run", () => held(settings.base).threads === threads + 2);
  const before = held(settings.base);
  const other = { ...settings, interface: "127.0.0.3", socket: `${settings.socket}2` };
  await assert.rejects(start(context, other), /another makuosan works on/);
  await givenBack(settings.base, before);
  await assert.rejects(
    start(context, other),
    /another makuosan works on/,
    "the first one holds its lock still",
  );
  await first.stop();
  await (await start(context, other)).stop();
});

/** Waits until this process holds what it held before, and no more: sockets are closed at a later turn. */
async function givenBack(base: string, before: ReturnType<typeof held>): Promise<void> {
  const isSame = () => JSON.stringify(held(base)) === JSON.stringify(before);
  for (const endMs = performance.now() + PATIENCE_MS; !isSame() && performance.now() < endMs;)
    await sleep(20);
  assert.deepEqual(held(base), before);
}
