import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { Host } from "../support/host.ts";
import type { NamespaceFleet } from "../support/namespaces.ts";
import { eventually, run, sleep } from "../support/processes.ts";

/** A way to bring a tree from the first host to all others. */
export interface Peer {
  readonly name: string;
  /** Why it cannot take part in this scenario; undefined where it can. */
  problem(isSingleFile: boolean): Promise<string | undefined>;
  /** Starts what has to run on the hosts beforehand. */
  prepare(fleet: NamespaceFleet): Promise<void>;
  /** Brings the tree over; the time of this is measured. */
  push(fleet: NamespaceFleet): Promise<void>;
  /** Ends what prepare has started. */
  end(fleet: NamespaceFleet): Promise<void>;
}

async function isMissing(program: string): Promise<string | undefined> {
  return (await run("sh", ["-c", `command -v ${program}`])).status === 0
    ? undefined
    : `${program} is not installed`;
}

async function succeed(host: Host, program: string, args: readonly string[]): Promise<void> {
  const { status, stdout, stderr } = await host.run(program, args, { timeoutMs: 300_000 });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}${stdout}`.slice(0, 2000));
}

/** Programs of a peer that run on the hosts; they end with it. */
class Servers {
  private readonly running: ChildProcess[] = [];

  start(host: Host, program: string, args: readonly string[]): ChildProcess {
    const [first = program, ...rest] = host.command(program, args);
    const child = spawn(first, rest, { stdio: "ignore" });
    this.running.push(child);
    return child;
  }

  end(): void {
    for (const child of this.running.splice(0)) child.kill("SIGKILL");
  }
}

export class Makuosan implements Peer {
  readonly name: string;
  private readonly daemonArguments: readonly string[];

  constructor(name: string, daemonArguments: readonly string[]) {
    this.name = name;
    this.daemonArguments = daemonArguments;
  }

  problem(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  async prepare(fleet: NamespaceFleet): Promise<void> {
    await Promise.all(fleet.hosts.map((host) => host.start(...this.daemonArguments)));
    const [sender] = fleet.hosts as [Host];
    await eventually("all members are there", async () => {
      return (await sender.msync("--members")).stdout.includes(`Total: ${fleet.hosts.length - 1} members`);
    });
  }

  async push(fleet: NamespaceFleet): Promise<void> {
    const { status, stderr } = await fleet.hosts[0]!.msync("-r");
    if (status !== 0) throw new Error(`msync ended with ${status}: ${stderr}`);
  }

  async end(fleet: NamespaceFleet): Promise<void> {
    await Promise.all(fleet.hosts.map((host) => host.stop("SIGKILL")));
  }
}

/** A daemon on each receiver, and one client per receiver, all at the same time. */
export class Rsync implements Peer {
  readonly name = "rsync in parallel";
  private readonly servers = new Servers();

  problem(): Promise<string | undefined> {
    return isMissing("rsync");
  }

  async prepare(fleet: NamespaceFleet): Promise<void> {
    for (const host of fleet.hosts.slice(1)) {
      const config = path.join(fleet.directory, `rsyncd-${host.name}.conf`);
      const module = `[base]\npath = ${host.innerBase}\nread only = no\nuid = root\ngid = root\nuse chroot = no\n`;
      fs.writeFileSync(config, `pid file = /run/rsyncd.pid\n${module}`);
      this.servers.start(host, "rsync", ["--daemon", "--no-detach", `--config=${config}`]);
    }
    await sleep(500);
  }

  async push(fleet: NamespaceFleet): Promise<void> {
    const [sender, ...receivers] = fleet.hosts as [Host, ...Host[]];
    const args = ["-aW", "--exclude", ".makuosan", `${sender.innerBase}/`];
    await Promise.all(
      receivers.map((host) => succeed(sender, "rsync", [...args, `rsync://${host.ip}/base/`])),
    );
  }

  end(): Promise<void> {
    this.servers.end();
    return Promise.resolve();
  }
}

export class Uftp implements Peer {
  readonly name: string;
  private readonly servers = new Servers();
  private readonly rateKbps: number;

  /** @param rateKbps what it is told to send with; it needs the right one to be fast */
  constructor(rateKbps: number) {
    this.rateKbps = rateKbps;
    this.name = `uftp at ${rateKbps / 1000} Mbit/s`;
  }

  problem(): Promise<string | undefined> {
    return isMissing("uftp");
  }

  async prepare(fleet: NamespaceFleet): Promise<void> {
    for (const host of fleet.hosts.slice(1)) {
      this.servers.start(host, "uftpd", ["-d", "-D", host.innerBase, "-I", "eth0", "-B", "8000000", "-t"]);
    }
    await sleep(500);
  }

  async push(fleet: NamespaceFleet): Promise<void> {
    const [sender] = fleet.hosts as [Host];
    const names = fs.readdirSync(sender.base).filter((name) => name !== ".makuosan");
    const files = names.map((name) => `${sender.innerBase}/${name}`);
    const args = [
      "-R",
      String(this.rateKbps),
      "-I",
      "eth0",
      "-B",
      "8000000",
      "-E",
      sender.innerBase,
      ...files,
    ];
    await succeed(sender, "uftp", args);
  }

  end(): Promise<void> {
    this.servers.end();
    return Promise.resolve();
  }
}

/** Sends one file only, to receivers that were started for it. */
export class Udpcast implements Peer {
  readonly name = "udpcast";
  private readonly servers = new Servers();

  problem(isSingleFile: boolean): Promise<string | undefined> {
    return isSingleFile ? isMissing("udp-sender") : Promise.resolve("it sends single files only");
  }

  async prepare(fleet: NamespaceFleet): Promise<void> {
    for (const host of fleet.hosts.slice(1)) {
      const [name = "big"] = fs.readdirSync(fleet.hosts[0]!.base);
      const file = `${host.innerBase}/${name}`;
      this.servers.start(host, "udp-receiver", ["--nokbd", "--interface", "eth0", "--file", file]);
    }
    await sleep(500);
  }

  async push(fleet: NamespaceFleet): Promise<void> {
    const [sender] = fleet.hosts as [Host];
    const [name = "big"] = fs.readdirSync(sender.base);
    const common = ["--nokbd", "--interface", "eth0", "--full-duplex", "--no-progress"];
    const wait = ["--min-receivers", String(fleet.hosts.length - 1), "--min-wait", "0"];
    await succeed(sender, "udp-sender", [...common, ...wait, "--file", `${sender.innerBase}/${name}`]);
  }

  end(): Promise<void> {
    this.servers.end();
    return Promise.resolve();
  }
}
