import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import type { SendResult } from "../../src/console/protocol.ts";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";

/** The key of a fleet is changed while pushes go on. */

const skip = await namespaceProblem();
const options = skip === undefined ? {} : { skip };

const PUSH_EVERY_MS = 100;
const MOST_WAITING = 3;
/** Pushes of each sender between two steps. */
const PUSHES_A_STEP = 5;

const newKey = () => crypto.randomBytes(32).toString("base64");

/** A host with a key file that only root may read. */
class KeyedHost {
  readonly host: Host;
  readonly file: string;

  constructor(host: Host, directory: string) {
    this.host = host;
    this.file = path.join(directory, `${host.name}.key`);
  }

  write(...keys: readonly string[]): void {
    fs.writeFileSync(`${this.file}.new`, `# of a test\n${keys.join("\n")}\n`, { mode: 0o600 });
    fs.renameSync(`${this.file}.new`, this.file);
  }

  async start(...more: string[]): Promise<void> {
    await this.host.start("-k", this.file, ...more);
  }

  async status(name: string): Promise<string> {
    const { stdout } = await this.host.msync("--status");
    return new RegExp(`^${name} : (.*)$`, "m").exec(stdout)?.[1] ?? "";
  }

  /** Gives it these keys, and waits until it says that it accepts so many and seals with another one than before. */
  async reload(...keys: readonly string[]): Promise<void> {
    this.write(...keys);
    const before = await this.status("accepted keys");
    this.host.kill("SIGHUP");
    await eventually(`${this.host.name} has other keys`, async () => {
      const now = await this.status("accepted keys");
      return now !== before && now.split(", ").length === keys.length;
    });
  }
}

/** Pushes a new file every 100 ms, from one msync; on a slow machine, a few at the most wait for their turn. */
class Pusher {
  readonly results: SendResult[] = [];
  started = 0;
  stderr = "";
  private readonly timer: NodeJS.Timeout;
  private readonly child: ReturnType<typeof spawn>;
  private readonly ended: Promise<unknown>;

  constructor({ host }: KeyedHost) {
    const [program = "", ...args] = host.msyncCommand("--json", "--keep-going", "-f", "-");
    const [first = "", ...rest] = host.command(program, args);
    this.child = spawn(first, rest, { stdio: ["pipe", "pipe", "pipe"] });
    this.child.stderr?.on("data", (bytes: Buffer) => (this.stderr += bytes.toString()));
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const answer = JSON.parse(line) as SendResult;
      if (answer.result === "send") this.results.push(answer);
    });
    this.ended = new Promise((resolve) => this.child.once("close", resolve));
    this.timer = setInterval(() => {
      if (this.started - this.results.length > MOST_WAITING) return;
      const name = `${host.name}-${this.started++}`;
      fs.writeFileSync(path.join(host.base, name), `${name}\n`.repeat(500));
      this.child.stdin?.write(`send ${name}\n`);
    }, PUSH_EVERY_MS);
  }

  kill(): void {
    clearInterval(this.timer);
    this.child.kill("SIGKILL");
  }

  async end(): Promise<void> {
    clearInterval(this.timer);
    this.child.stdin?.end();
    await this.ended;
  }

  /** Until some more pushes have begun and ended. */
  async goesOn(): Promise<void> {
    const wanted = this.results.length + MOST_WAITING + PUSHES_A_STEP;
    await eventually("pushes go on", () => this.results.length >= wanted, 60_000);
  }
}

async function makeFleet(context: TestContext, count: number): Promise<KeyedHost[]> {
  const fleet = await NamespaceFleet.create({ hosts: count });
  context.after(() => fleet.destroy());
  return fleet.hosts.map((host) => new KeyedHost(host, fleet.directory));
}

function filesOf(host: Host): string[] {
  return fs.readdirSync(host.base).filter((name) => name !== ".makuosan");
}

test("pushes from two hosts go to all others while the key is changed in three steps", options, async (context) => {
  const hosts = await makeFleet(context, 4);
  const [oldKey, key] = [newKey(), newKey()];
  for (const host of hosts) host.write(oldKey);
  const [first, second, third, fourth] = hosts as [KeyedHost, KeyedHost, KeyedHost, KeyedHost];
  // These cannot read the file themselves when they read it again.
  for (const { host } of [second, fourth]) fs.chownSync(host.base, 65_534, 65_534);
  await Promise.all([first, third].map((host) => host.start()));
  await Promise.all([second, fourth].map((host) => host.start("-u", "65534", "-g", "65534")));
  await acquainted(hosts.map(({ host }) => host));

  const pushers = [new Pusher(first), new Pusher(second)];
  context.after(() => pushers.forEach((pusher) => pusher.kill()));
  const goOn = () => Promise.all(pushers.map((pusher) => pusher.goesOn()));
  await goOn();
  for (const step of [[oldKey, key], [key, oldKey], [key]]) {
    for (const host of hosts) {
      await host.reload(...step);
      await goOn();
    }
    const fingerprint = await first.status("key");
    for (const { host } of hosts) {
      await eventually(`${host.name} knows the keys of all`, async () => {
        const { stdout } = await host.msync("--members", "-v");
        const shown = stdout.match(/ key=[0-9a-f]{8} accepts=\S+/g) ?? [];
        return shown.length === 3 && shown.every((one) => one.startsWith(` key=${fingerprint} `));
      });
    }
  }
  await Promise.all(pushers.map((pusher) => pusher.end()));

  for (const { results, started, stderr } of pushers) {
    assert.equal(stderr, "");
    assert.equal(results.length, started);
    assert.ok(started >= 12 * PUSHES_A_STEP, `${started} pushes`);
    for (const { exitStatus, hosts: reached } of results) {
      assert.deepEqual([exitStatus, reached.length], [0, 3]);
      assert.ok(reached.every(({ outcome }) => outcome === "done"));
    }
  }
  const expected = pushers.reduce((sum, { started }) => sum + started, 0);
  for (const { host } of hosts) assert.equal(filesOf(host).length, expected, host.name);
  for (const host of hosts) assert.equal(await host.status("under another key"), "nobody");
});
