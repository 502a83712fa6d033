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

test(
  "pushes from two hosts go to all others while the key is changed in three steps",
  options,
  async (context) => {
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
    for (const host of hosts) assert.equal(await host.status("problem"), "");
  },
);

test("a transfer that runs goes on while all hosts get another key", options, async (context) => {
  const hosts = await makeFleet(context, 3);
  const [oldKey, key] = [newKey(), newKey()];
  for (const host of hosts) host.write(oldKey);
  const [sender, ...receivers] = hosts as [KeyedHost, KeyedHost, KeyedHost];
  await Promise.all([sender.start("--rate", "40"), ...receivers.map((host) => host.start())]);
  await acquainted(hosts.map(({ host }) => host));
  const contents = crypto.randomBytes(30_000_000);
  fs.writeFileSync(path.join(sender.host.base, "large"), contents);
  const push = sender.host.msync("large");
  await eventually("the push runs", async () => (await sender.status("sending")) === "1");
  // Without the steps in between: afterwards no two hosts have had a common key for everything else.
  for (const host of [receivers[0], sender, receivers[1]]) await host?.reload(key);
  assert.equal(await sender.status("sending"), "1", "the keys have changed while the push ran");
  assert.deepEqual(await push, { status: 0, stdout: "", stderr: "" });
  for (const { host } of receivers)
    assert.deepEqual(fs.readFileSync(path.join(host.base, "large")), contents);
  // The fleet is whole again under the new key.
  fs.writeFileSync(path.join(sender.host.base, "small"), "small");
  assert.deepEqual(await sender.host.msync("--wait", "2", "small"), { status: 0, stdout: "", stderr: "" });
});

test(
  "a host that was given another key alone is named, and the push is not complete",
  options,
  async (context) => {
    const hosts = await makeFleet(context, 3);
    const [oldKey, key] = [newKey(), newKey()];
    for (const host of hosts) host.write(oldKey);
    const [sender, other, lost] = hosts as [KeyedHost, KeyedHost, KeyedHost];
    await Promise.all(hosts.map((host) => host.start()));
    await acquainted(hosts.map(({ host }) => host));
    const fingerprint = await sender.status("key");
    fs.writeFileSync(path.join(sender.host.base, "file"), "contents");

    await lost.reload(key);
    const refusal = `error: host3: it does not accept the key ${fingerprint}, which seals here: `;
    await eventually("the sender has heard of it", async () => {
      const { status, stderr } = await sender.host.msync("file");
      return status === 3 && stderr.startsWith(refusal);
    });
    assert.ok(fs.existsSync(path.join(other.host.base, "file")));
    assert.ok(!fs.existsSync(path.join(lost.host.base, "file")));
    const strict = await sender.host.msync("--all-or-nothing", "file");
    assert.equal(strict.status, 6);
    assert.match(strict.stderr, /^error: nothing was changed anywhere: host3 cannot be reached$/m);

    // Given back the common key, and then restarted with the other one alone, its packets are all that is heard of it.
    await lost.reload(oldKey, key);
    await eventually("it is reached again", async () => (await sender.host.msync("file")).status === 0);
    await lost.host.stop();
    lost.write(key);
    await lost.start();
    const loss =
      /^error: host3: it is no member any more, and \d+ packets under another key came from 10\.77\.0\.3: /m;
    await eventually("it is heard under the other key", async () => {
      const { status, stderr } = await sender.host.msync("file");
      return status === 3 && loss.test(stderr);
    });
    for (const target of ["host3", "10.77.0.3", "host*"]) {
      const { status, stderr } = await sender.host.msync("-t", target, "file");
      assert.equal(status, 3);
      assert.match(stderr, loss);
    }
    assert.equal((await sender.host.msync("-t", "host2", "file")).status, 0);
    assert.match(await sender.status("problem"), /10\.77\.0\.3/);

    // It is alone with its key. It has never met the others under it, so only their addresses are known.
    const { status, stderr } = await lost.host.msync("-r");
    assert.equal(status, 4);
    assert.match(stderr, /^error: there is no member to send to: .*10\.77\.0\./);

    // With the common key it is one of them again.
    await lost.reload(key, oldKey);
    await sender.reload(oldKey, key);
    await eventually("it is a member again", async () => (await sender.host.msync("file")).status === 0);
    assert.ok(
      fs.existsSync(path.join(lost.host.base, "file")) && !fs.existsSync(path.join(other.host.base, "none")),
    );
  },
);

test(
  "a key file that is broken at a reload is refused with its line, and the old keys stay",
  options,
  async (context) => {
    const hosts = await makeFleet(context, 2);
    const key = newKey();
    for (const host of hosts) host.write(key);
    const [sender, receiver] = hosts as [KeyedHost, KeyedHost];
    fs.chownSync(sender.host.base, 65_534, 65_534);
    await sender.start("-u", "65534", "-g", "65534");
    await receiver.start();
    await acquainted(hosts.map(({ host }) => host));
    const sentences: [() => void, RegExp][] = [
      [() => sender.write(newKey(), "no key"), /holds no key in line 3: /],
      [() => sender.write(), /holds no key: make one /],
      [() => fs.chmodSync(sender.file, 0o644), /can be read or changed by everybody: 'chmod 600 /],
      [
        () => fs.writeFileSync(sender.file, crypto.randomBytes(200_000), { mode: 0o600 }),
        /is larger than 65536 bytes/,
      ],
      [() => fs.rmSync(sender.file), /is missing: make one with /],
      [
        () => {
          fs.rmSync(sender.file);
          fs.mkdirSync(sender.file);
        },
        /is not a regular file: /,
      ],
    ];
    for (const [spoil, sentence] of sentences) {
      fs.rmSync(sender.file, { force: true, recursive: true });
      sender.write(key);
      spoil();
      const before = sender.host.log.length;
      sender.host.kill("SIGHUP");
      await eventually(String(sentence), () => {
        const said = sender.host.log.slice(before);
        return said.includes("the configuration stays as it was: the key file ") && sentence.test(said);
      });
      fs.writeFileSync(path.join(sender.host.base, "file"), crypto.randomBytes(10));
      assert.equal((await sender.host.msync("file")).status, 0);
    }
    fs.rmSync(sender.file, { force: true, recursive: true });
    await sender.reload(key, newKey());
    assert.equal((await sender.host.msync("file")).status, 0);
  },
);
