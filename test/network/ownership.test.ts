import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { ConsoleServer } from "../../src/console/server.ts";
import { History } from "../../src/daemon/pushes/history.ts";
import { openSocketFor } from "../../src/daemon/service/socket-owner.ts";
import { giveDirectory, openOwnFile } from "../../src/sys/own-files.ts";
import { LoopbackFleet } from "../support/loopback.ts";
import type { Host } from "../support/host.ts";
import { NOBODY, whileRacing } from "../support/racer.ts";

/** What root does in the directory of another user touches nothing that this user puts in the way. */

const NOBODY_IDENTITY = { uid: NOBODY, gid: NOBODY, groups: [] };

/** So long the directory is changed under the hands of root: long enough for hundreds of tries. */
const RACE_MS = 3_000;
/** A busy machine takes longer. */
const LEAST_TRIES = 100;

const options = { skip: process.getuid?.() !== 0 && "only root has something to lose" };

function makeHome(context: TestContext, owner: number): string {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-owner-"));
  fs.chmodSync(home, 0o755);
  fs.chownSync(home, owner, owner);
  context.after(() => fs.rmSync(home, { recursive: true, force: true }));
  return home;
}

/** A file that only root may have. */
function makeSecret(context: TestContext): string {
  const secret = path.join(makeHome(context, 0), "secret");
  fs.writeFileSync(secret, "secret", { mode: 0o600 });
  return secret;
}

function assertUntouched(secret: string): void {
  const { uid, gid, mode } = fs.statSync(secret);
  assert.deepEqual({ uid, gid, mode: mode & 0o777 }, { uid: 0, gid: 0, mode: 0o600 });
  assert.equal(fs.readFileSync(secret, "utf8"), "secret");
}

/** Puts a link to a file in the place of a socket, again and again. */
const EXCHANGE_SOCKET = `
  const [place, target] = given;
  attempt(() => fs.symlinkSync(target, place + ".link"));
  if (fs.lstatSync(place).isSocket()) { fs.renameSync(place + ".link", place); fs.unlinkSync(place); }`;

test(
  "a control socket in the user's own directory gives nothing of root's away",
  options,
  async (context) => {
    const home = makeHome(context, NOBODY);
    const secret = makeSecret(context);
    const socket = path.join(home, "socket");
    let tries = 0;
    await whileRacing(EXCHANGE_SOCKET, [socket, secret], async () => {
      for (
        const endMs = performance.now() + RACE_MS;
        performance.now() < endMs || tries < LEAST_TRIES;
        tries++
      ) {
        try {
          (await openSocketFor(socket, NOBODY_IDENTITY, () => ConsoleServer.open(socket))).close();
        } catch {
          // The link stands where the socket should be.
        }
      }
    });
    assert.equal(process.geteuid?.(), 0);
    assertUntouched(secret);
  },
);

test("a control socket in root's directory belongs to the user, with its mode", options, async (context) => {
  const home = makeHome(context, 0);
  for (const socket of [path.join(home, "socket"), path.join(home, "new", "socket")]) {
    // Directories of root alone, from the top: a temporary directory is sticky.
    const server = await openSocketFor(socket, NOBODY_IDENTITY, () => ConsoleServer.open(socket));
    const { uid, gid, mode } = fs.statSync(socket);
    server.close();
    assert.deepEqual({ uid, gid, mode: mode & 0o777 }, { uid: NOBODY, gid: NOBODY, mode: 0o660 });
  }
  assert.equal(fs.statSync(path.join(home, "new")).uid, NOBODY);
  assert.equal(fs.statSync(home).uid, 0);
});

test("a place where no control socket can be is named", options, async (context) => {
  const home = makeHome(context, 0);
  fs.writeFileSync(path.join(home, "file"), "");
  const behind = path.join(home, "file", "new", "socket");
  await assert.rejects(
    openSocketFor(behind, NOBODY_IDENTITY, () => ConsoleServer.open(behind)),
    new UserError(`the control socket ${behind} cannot be made (ENOTDIR): choose another with -U`),
  );
  // The file system can be read-only, or root may not change owners.
  const socket = path.join(home, "socket");
  const refused = Object.assign(new Error("read-only"), { code: "EROFS" });
  await assert.rejects(
    openSocketFor(socket, undefined, () => Promise.reject(refused)),
    new UserError(`the control socket ${socket} cannot be made (EROFS): choose another with -U`),
  );
});

test("links that the user has left in the state directory lead nowhere", options, (context) => {
  const secret = makeSecret(context);
  const state = makeHome(context, 0);
  fs.symlinkSync(secret, path.join(state, "node-id"));
  const history = path.join(state, "history-0123456789ab.jsonl");
  fs.writeFileSync(history, "", { mode: 0o600 });
  fs.linkSync(secret, path.join(path.dirname(secret), "second"));
  fs.linkSync(secret, path.join(state, "history-000000000000.jsonl"));
  giveDirectory(state, /^(node-id|history-.*)$/, NOBODY, NOBODY);
  assertUntouched(secret);
  assert.equal(fs.statSync(history).uid, NOBODY);
  assert.equal(fs.statSync(state).uid, NOBODY);
  // It belongs to the user now: root does nothing there any more.
  fs.writeFileSync(path.join(state, "history-111111111111.jsonl"), "");
  giveDirectory(state, /^(node-id|history-.*)$/, NOBODY, NOBODY);
  assert.equal(fs.statSync(path.join(state, "history-111111111111.jsonl")).uid, 0);
});

test("a history that root writes follows no link", options, async (context) => {
  const secret = makeSecret(context);
  const directory = makeHome(context, NOBODY);
  const open = () =>
    History.open({ directory, isRequired: true, isManaged: false }, "/base", () => undefined);
  const add = (history: History) => {
    const counts = { entries: 0, bytes: 0, durationMs: 0, exitStatus: 0 } as const;
    history.add({ time: "now", direction: "sent", transfer: "1-1", from: "a", ...counts, hosts: [] });
    return history.flush();
  };
  const former = open();
  await add(former);
  const file = former.place;
  fs.symlinkSync(secret, `${file}.new`);
  const history = open();
  fs.rmSync(file);
  fs.symlinkSync(secret, file);
  await add(history);
  assertUntouched(secret);
});

test(
  "a file is opened only where nobody else can have put it or a directory on the way",
  options,
  (context) => {
    const home = makeHome(context, 0);
    const secret = makeSecret(context);
    const make = (area: string) => {
      fs.mkdirSync(path.join(home, area, "t-1"), { recursive: true, mode: 0o700 });
      fs.writeFileSync(path.join(home, area, "t-1", "changes"), "own", { mode: 0o600 });
    };
    const read = (area: string) => {
      const descriptor = openOwnFile(home, [area, "t-1", "changes"], 0);
      const text = fs.readFileSync(descriptor, "utf8");
      fs.closeSync(descriptor);
      return text;
    };
    make("own");
    assert.equal(read("own"), "own");
    for (const [what, change] of Object.entries<(area: string) => void>({
      "somebody else's area": (area) => fs.chownSync(area, NOBODY, NOBODY),
      "somebody else's directory": (area) => fs.chownSync(path.join(area, "t-1"), NOBODY, NOBODY),
      "an area that others can write to": (area) => fs.chmodSync(area, 0o777),
      "a link to a directory": (area) => {
        fs.renameSync(path.join(area, "t-1"), path.join(area, "t-2"));
        fs.symlinkSync("t-2", path.join(area, "t-1"));
      },
      "a link to a file": (area) => {
        fs.rmSync(path.join(area, "t-1/changes"));
        fs.symlinkSync(secret, path.join(area, "t-1/changes"));
      },
    })) {
      make(what);
      change(path.join(home, what));
      assert.throws(() => read(what), { code: /^(EPERM|ENOTDIR|ELOOP)$/ }, what);
    }
  },
);

test(
  "id and history outlive restarts by a service manager that takes the directory back",
  options,
  async (context) => {
    const fleet = LoopbackFleet.create(1, ["-u", "nobody"]);
    context.after(() => fleet.destroy());
    const [host] = fleet.hosts as [Host];
    const state = path.join(fleet.directory, "state");
    fs.mkdirSync(state, { mode: 0o700 });
    const secret = makeSecret(context);
    Object.assign(host, { place: { prefix: [] } });
    host.environment = { STATE_DIRECTORY: state };
    const ids = new Set<string>();
    for (let start = 1; start <= 3; start++) {
      takeBack(state);
      await host.start();
      assert.deepEqual(historyOf(state), Array(start - 1).fill(TIME));
      const { stdout } = await host.stop();
      assert.ok(!/cannot be (written|kept)/.test(stdout), stdout);
      ids.add(fs.readFileSync(path.join(state, "node-id"), "utf8"));
      addToHistory(state);
      fs.rmSync(path.join(state, "node-id.new"), { force: true });
      fs.symlinkSync(secret, path.join(state, "node-id.new"));
    }
    assert.equal(ids.size, 1);
    fs.rmSync(path.join(state, "node-id"));
    takeBack(state);
    await host.start();
    await host.stop();
    assertUntouched(secret);
  },
);

/** The time of each entry. */
const TIME = "2026-01-02T03:04:05.678Z";

/** As systemd does before each start of a service that begins as root. */
function takeBack(state: string): void {
  fs.chownSync(state, 0, 0);
  for (const name of fs.readdirSync(state)) fs.lchownSync(path.join(state, name), 0, 0);
}

function historyFile(state: string): string {
  return path.join(state, fs.readdirSync(state).find((one) => one.startsWith("history-")) ?? "none");
}

/** The times of the entries in the file, which belongs to the user of the daemon. */
function historyOf(state: string): unknown[] {
  assert.equal(fs.statSync(historyFile(state)).uid, NOBODY);
  const lines = fs.readFileSync(historyFile(state), "utf8").split("\n").filter(Boolean);
  return lines.map((line) => (JSON.parse(line) as { time: string }).time);
}

function addToHistory(state: string): void {
  const entry = {
    time: TIME,
    direction: "sent",
    transfer: "1",
    from: "host1",
    entries: 0,
    bytes: 0,
    durationMs: 1,
  };
  fs.appendFileSync(historyFile(state), `${JSON.stringify({ ...entry, hosts: [] })}\n`);
}
