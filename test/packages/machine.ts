import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { eventually, type Finished, run } from "../support/processes.ts";
import type { Laboratory } from "./laboratory.ts";

/** What ends nspawn when its machine wants to be booted again. */
const WANTS_REBOOT = 133;

const BOOT_MS = 60_000;
const POWER_OFF_MS = 30_000;

export interface MachineParts {
  readonly laboratory: Laboratory;
  readonly name: string;
  readonly ip: string;
  /** Its root directory, as the room of the laboratory sees it. */
  readonly root: string;
  readonly bridge: string;
  /** From paths inside to paths outside that it sees there, read-only. */
  readonly folders: Readonly<Record<string, string>>;
}

/** A server with a systemd of its own, in a container. */
export class Machine {
  readonly name: string;
  readonly ip: string;
  private readonly parts: MachineParts;
  private container: ChildProcess | undefined;
  private ended: Promise<number | null> = Promise.resolve(0);
  private leader = 0;

  constructor(parts: MachineParts) {
    this.parts = parts;
    this.name = parts.name;
    this.ip = parts.ip;
  }

  /** Boots it, and waits until systemd has started all that it has to. */
  async boot(): Promise<void> {
    const { laboratory, name, root, bridge, folders } = this.parts;
    const group = `/sys/fs/cgroup/${laboratory.controlGroup}/${name}`;
    const nspawn = [
      ["systemd-nspawn", "--quiet", "--boot", "--directory", root, "--machine", name, `--hostname=${name}`],
      ["--register=no", "--keep-unit", "--resolv-conf=off", "--timezone=off", "--console=pipe"],
      [`--network-bridge=${bridge}`, "--kill-signal=SIGRTMIN+4"],
      Object.entries(folders).map(([inside, outside]) => `--bind-ro=${outside}:${inside}`),
    ].flat();
    const enterGroup = `mkdir -p ${group} && echo $$ > ${group}/cgroup.procs && exec "$@"`;
    const [program = "", ...args] = laboratory.command("sh", ["-c", enterGroup, "sh", ...nspawn]);
    const container = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" },
    });
    this.container = container;
    let output = "";
    for (const stream of [container.stdout, container.stderr]) {
      stream.on("data", (bytes: Buffer) => (output = (output + bytes.toString()).slice(-4000)));
    }
    let isEnded = false;
    this.ended = new Promise((resolve) => container.once("close", resolve));
    void this.ended.then(() => (isEnded = true));
    const hasCome = async () => {
      if (isEnded) throw new Error(`${name} does not boot: ${output}`);
      this.leader = childOf(container.pid ?? 0);
      if (this.leader === 0) return false;
      const { stdout } = await this.run("systemctl", "is-system-running");
      return /^(?:running|degraded)$/m.test(stdout);
    };
    await eventually(`${name} has booted`, hasCome, BOOT_MS);
  }

  /** Runs a program on it. */
  run(program: string, ...args: string[]): Promise<Finished> {
    return run("nsenter", [
      "-t",
      String(this.leader),
      "-a",
      "--",
      "env",
      "-i",
      ...ENVIRONMENT,
      program,
      ...args,
    ]);
  }

  /** Runs a program that must succeed; its output. */
  async must(program: string, ...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(program, ...args);
    if (status === 0) return stdout;
    throw new Error(`${this.name}: ${program} ${args.join(" ")} ended with ${status}: ${stderr}${stdout}`);
  }

  /** Runs a line of shell that must succeed; its output. */
  shell(line: string): Promise<string> {
    return this.must("sh", "-c", line);
  }

  /** Shuts it down and boots it again. */
  async reboot(): Promise<void> {
    await this.run("systemctl", "reboot");
    const status = await this.ended;
    if (status !== WANTS_REBOOT) throw new Error(`${this.name} ended with ${status} instead of a reboot`);
    await this.boot();
  }

  /** Shuts it down; one that does not end by itself is ended. */
  async powerOff(): Promise<void> {
    if (this.container === undefined) return;
    const kill = setTimeout(() => {
      if (this.leader !== 0) process.kill(this.leader, "SIGKILL");
      this.container?.kill("SIGKILL");
    }, POWER_OFF_MS);
    if (this.leader !== 0) await this.run("systemctl", "poweroff");
    await this.ended;
    clearTimeout(kill);
    this.container = undefined;
  }
}

const ENVIRONMENT = [
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "LC_ALL=C.UTF-8",
  "DEBIAN_FRONTEND=noninteractive",
  "SYSTEMD_PAGER=",
];

/** The first child of a process, which for nspawn is the first process of its machine; 0 while there is none. */
function childOf(parent: number): number {
  try {
    return Number(fs.readFileSync(`/proc/${parent}/task/${parent}/children`, "latin1").split(" ")[0] ?? 0);
  } catch {
    return 0;
  }
}
