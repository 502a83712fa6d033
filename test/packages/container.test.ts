import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { eventually, type Finished, hasProgram, must, run } from "../support/processes.ts";
import { baseSystem } from "./base-system.ts";
import { DIST, ROOT } from "./copies.ts";
import { Laboratory, laboratoryProblem } from "./laboratory.ts";

/** The container image of the examples: it builds, and two containers of it push to each other. */

const RECIPE = "packaging/examples/container/Dockerfile";

/** The image that the recipe begins with. Its place is taken by a part of the system of the other tests: nothing is downloaded. */
const DEBIAN = "docker.io/library/debian:12-slim";
const PARTS = ["bin", "sbin", "lib", "lib64", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc"];

const IMAGE = "localhost/makuosan";

/** The user of the image. */
const USER_ID = 950;

async function containerProblem(): Promise<string | undefined> {
  if (!(await hasProgram("buildah"))) return "there is no buildah (apt-get install buildah)";
  if (!fs.existsSync(path.join(DIST, "makuosan"))) return "dist/makuosan is missing: run make build";
  return laboratoryProblem();
}

/** The images and the containers of these tests, in a folder of their own. */
class Store {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-container-"));
  private readonly env: Record<string, string>;

  constructor() {
    const configuration = path.join(this.directory, "containers.conf");
    // Limits that are higher than those of the caller cannot be set.
    fs.writeFileSync(configuration, "[containers]\ndefault_ulimits = []\n");
    this.env = { CONTAINERS_CONF: configuration, BUILDAH_ISOLATION: "chroot" };
  }

  command(...args: string[]): string[] {
    const places = [
      "--root",
      path.join(this.directory, "images"),
      "--runroot",
      path.join(this.directory, "run"),
    ];
    const env = Object.entries(this.env).map(([name, value]) => `${name}=${value}`);
    return ["env", ...env, "buildah", ...places, "--storage-driver", "vfs", ...args];
  }

  async buildah(...args: string[]): Promise<string> {
    const [program = "", ...rest] = this.command(...args);
    return (await must(program, rest, { timeoutMs: 120_000 })).trim();
  }

  /** Makes the image that the recipe begins with. */
  async makeBase(system: string): Promise<void> {
    const container = await this.buildah("from", "scratch");
    const tree = await this.buildah("mount", container);
    const parts = PARTS.filter((part) => fs.existsSync(path.join(system, part)));
    // A slim image lacks the large parts, too.
    const left = ["python3*", "systemd", "*/perl*", "*/libperl*", "*/gconv", "*/libicu*"].map(
      (one) => `--exclude=usr/lib/${one}`,
    );
    const copy = 'tar -C "$1" -c "${@:3}" | tar -C "$2" -x';
    await must("bash", ["-c", copy, "bash", system, tree, ...left, ...parts]);
    for (const name of ["tmp", "run", "proc", "sys", "dev", "srv", "var/lib"])
      fs.mkdirSync(path.join(tree, name), { recursive: true });
    await this.buildah("commit", "--quiet", "--rm", container, DEBIAN);
  }

  async close(): Promise<void> {
    await run("umount", ["-R", path.join(this.directory, "images")]);
    await run("rm", ["-rf", "--one-file-system", this.directory]);
  }
}

/** A container of the image, on a host of its own. */
class Container {
  readonly base: string;
  private readonly room: Laboratory;
  private readonly store: Store;
  private readonly host: string;
  private readonly id: string;
  private process: ChildProcess | undefined;
  private said = "";

  private constructor(room: Laboratory, store: Store, host: string, id: string) {
    this.room = room;
    this.store = store;
    this.host = host;
    this.id = id;
    this.base = path.join(store.directory, host);
  }

  static async make(room: Laboratory, store: Store, host: string, address: string): Promise<Container> {
    const id = await store.buildah("from", "--pull-never", IMAGE);
    // Of a volume of the image and the folder that takes its place, buildah mounts either one.
    await store.buildah("config", "--volume", "/srv/makuosan-", id);
    const container = new Container(room, store, host, id);
    fs.mkdirSync(container.base);
    fs.chownSync(container.base, USER_ID, USER_ID);
    const commands = [
      `mkdir -p /run/netns && ip netns add ${host}`,
      `ip link add ${host} type veth peer name eth0 netns ${host} && ip link set ${host} master bridge0 up`,
      `ip -n ${host} link set lo up && ip -n ${host} link set eth0 up`,
      `ip -n ${host} addr add ${address}/24 brd + dev eth0 && ip -n ${host} route add 224.0.0.0/4 dev eth0`,
    ];
    await room.must("sh", "-ec", commands.join("\n"));
    return container;
  }

  /** Starts the command of the image, as a container engine does. */
  async start(): Promise<void> {
    const image = JSON.parse(await this.store.buildah("inspect", "--type", "image", IMAGE)) as ImageFacts;
    const { Cmd } = image.Docker.config;
    const mounts = [
      "-v",
      `${this.base}:/srv/makuosan`,
      "-v",
      `${this.store.directory}/key:/run/secrets/makuosan.key:ro`,
    ];
    const [program = "", ...args] = this.onHost(
      this.store.command("run", "--hostname", this.host, ...mounts, this.id, "--", ...Cmd),
    );
    this.process = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on("data", (bytes: Buffer) => (this.said += bytes.toString()));
    await eventually(`the daemon of ${this.host} is ready: ${this.said}`, () =>
      Promise.resolve(/^ready$/m.test(this.said)),
    );
  }

  /** Runs a program in the container. */
  run(...command: string[]): Promise<Finished> {
    const [program = "", ...args] = this.onHost(this.store.command("run", this.id, "--", ...command));
    return run(program, args);
  }

  async stop(): Promise<void> {
    const { pid } = this.process ?? {};
    if (pid === undefined || this.process?.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process?.once("exit", resolve));
    process.kill(-pid, "SIGTERM");
    await ended;
  }

  private onHost(command: readonly string[]): string[] {
    return this.room.command("ip", ["netns", "exec", this.host, ...command]);
  }
}

interface ImageFacts {
  readonly Docker: {
    readonly config: {
      readonly Cmd: string[];
      readonly User: string;
      readonly Healthcheck?: { readonly Test: string[] };
    };
  };
}

const problem = await containerProblem();

void suite("the container image of the examples", { skip: problem ?? false }, () => {
  const store = new Store();
  const containers: Container[] = [];
  let room: Laboratory | undefined;
  before(async () => {
    if (problem !== undefined) return;
    room = await Laboratory.open();
    await store.makeBase(await baseSystem());
  });
  after(async () => {
    await Promise.all(containers.map((container) => container.stop()));
    await room?.close();
    await store.close();
  });

  test("it builds, with a health check, and its daemon is never root", async () => {
    await store.buildah(
      "bud",
      "--quiet",
      "--pull-never",
      "--format",
      "docker",
      "-f",
      RECIPE,
      "-t",
      IMAGE,
      ROOT,
    );
    const image = JSON.parse(await store.buildah("inspect", "--type", "image", IMAGE)) as ImageFacts;
    const { Cmd, User, Healthcheck } = image.Docker.config;
    assert.deepEqual([Cmd[0], User], ["makuosan", "makuosan"]);
    assert.deepEqual(Healthcheck?.Test, ["CMD", "msync", "--status"]);
  });

  test("two containers push from one to the other", async () => {
    assert.ok(room);
    const key = path.join(store.directory, "key");
    await must("bash", [
      "-c",
      'umask 077 && exec -a msync "$1" --keygen "$2"',
      "bash",
      path.join(DIST, "makuosan"),
      key,
    ]);
    fs.chownSync(key, USER_ID, USER_ID);
    fs.chmodSync(store.directory, 0o711);
    for (const [host, address] of [
      ["web1", "10.78.0.1"],
      ["web2", "10.78.0.2"],
    ] as const)
      containers.push(await Container.make(room, store, host, address));
    for (const container of containers) await container.start();
    const [one, two] = containers as [Container, Container];
    fs.writeFileSync(path.join(one.base, "index.html"), "hello\n");
    fs.chownSync(path.join(one.base, "index.html"), USER_ID, USER_ID);
    const pushed = await one.run("msync", "--wait", "1", "-r", "-v");
    assert.deepEqual(pushed, { status: 0, stdout: "update web2:index.html\n", stderr: "" });
    const received = path.join(two.base, "index.html");
    assert.equal(fs.readFileSync(received, "utf8"), "hello\n");
    assert.equal(fs.statSync(received).uid, USER_ID);
    assert.equal((await two.run("msync", "--status")).status, 0);
  });
});
