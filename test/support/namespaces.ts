import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Host } from "./host.ts";
import { killAll, must, run } from "./processes.ts";

/**
 * A fleet on one machine: hosts in network, mount and UTS namespaces, on a bridge in its own namespace. The namespaces
 * have no names and end with the process that holds each, so nothing is left behind.
 */

/** Why network tests cannot run on this machine; undefined if they can. */
export async function namespaceProblem(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const { status } = await run("unshare", ["--net", "--uts", "--mount", "ip", "link", "show"]);
  return status === 0 ? undefined : "network namespaces or iproute2 are not there";
}

/** A line of shell that ends all processes in its own network, and itself last. */
const KILL_ALL_HERE =
  'here=$(readlink /proc/$$/ns/net) && for one in /proc/[0-9]*; do [ "$one" = /proc/$$ ] || ' +
  '[ "$(readlink "$one/ns/net")" != "$here" ] || kill -KILL "${one#/proc/}"; done';

export interface FleetOptions {
  readonly hosts: number;
  readonly daemonArguments?: readonly string[];
  /** The directory of the base directories; by default a temporary one. */
  readonly directory?: string;
  /** Link speed of each host in the form of tc; unlimited by default. */
  readonly speed?: string;
  /** The base directories are tmpfs of this size, in the form of mount. */
  readonly tmpfs?: string;
}

export class NamespaceFleet {
  readonly hosts: Host[] = [];
  readonly directory: string;
  private readonly options: FleetOptions;
  private readonly holders: ChildProcess[] = [];
  private readonly tmpfs: string[] = [];
  private switchPid = 0;

  private constructor(options: FleetOptions) {
    this.options = options;
    this.directory = fs.mkdtempSync(path.join(options.directory ?? os.tmpdir(), "makuosan-fleet-"));
    fs.chmodSync(this.directory, 0o755);
    process.once("exit", this.end);
  }

  static async create(options: FleetOptions): Promise<NamespaceFleet> {
    const fleet = new NamespaceFleet(options);
    await fleet.orDestroyed(() => fleet.build());
    return fleet;
  }

  /** Prepares a fleet that has no other end yet: if that fails, it is destroyed. */
  async orDestroyed(prepare: () => Promise<void>): Promise<void> {
    try {
      await prepare();
    } catch (error) {
      await this.destroy();
      throw error;
    }
  }

  private async build(): Promise<void> {
    this.switchPid = await this.hold("switch");
    await this.inside(this.switchPid, "ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0");
    await this.inside(this.switchPid, "ip", "link", "set", "br0", "up");
    for (let index = 1; index <= this.options.hosts; index++) await this.addHost();
  }

  /**
   * Adds a server to the network.
   *
   * @param programs the folder of its programs; by default that of the build
   */
  async addHost(programs?: string): Promise<Host> {
    const index = this.hosts.length + 1;
    const name = `host${index}`;
    const ip = `10.77.0.${index}`;
    // This comes before the namespace, which sees only mounts that exist when it is created.
    const base = path.join(this.directory, name);
    fs.mkdirSync(base);
    if (this.options.tmpfs !== undefined) {
      await must("mount", ["-t", "tmpfs", "-o", `size=${this.options.tmpfs}`, "tmpfs", base]);
      this.tmpfs.push(base);
    }
    const pid = await this.hold(name);
    await this.inside(pid, "ip", "link", "set", "lo", "up");
    await this.plug(index, pid, ip);
    await this.inside(pid, "mount", "-t", "tmpfs", "tmpfs", "/run");
    await this.inside(pid, "mkdir", "-p", "/var/www");
    // A makuosan that is installed on this machine has its own configuration.
    const config = "/etc/makuosan.conf";
    if (fs.existsSync(config)) await this.inside(pid, "mount", "--bind", "/dev/null", config);
    // It may also have a state, where hosts have none that are not told of a place for it.
    const state = "/var/lib/makuosan";
    if (fs.existsSync(state)) await this.inside(pid, "mount", "-t", "tmpfs", "-o", "ro", "tmpfs", state);
    await this.inside(pid, "mount", "--bind", base, "/var/www");
    const host = new Host({
      name,
      ip,
      base,
      innerBase: "/var/www",
      socket: "/run/makuosan/makuosan.sock",
      place: { prefix: ["nsenter", "-t", String(pid), "-n", "-u", "-m", "--"] },
      daemonArguments: this.options.daemonArguments ?? [],
      ...(programs === undefined ? {} : { programs }),
    });
    this.hosts.push(host);
    return host;
  }

  /** Deletes the interface of a host. */
  async unplug(host: Host): Promise<void> {
    await host.run("ip", ["link", "delete", "eth0"]);
  }

  /** Gives a host the interface again that was deleted, as a new one under the same name and address. */
  async plugAgain(host: Host): Promise<void> {
    const index = this.hosts.indexOf(host) + 1;
    await this.plug(index, this.holders[index]?.pid ?? 0, host.ip);
  }

  /** Drops a percentage of the UDP and TCP packets that arrive at a host; with 0, it only inspects each packet. */
  async lose(host: Host, percent: number): Promise<void> {
    const rule = `meta l4proto { tcp, udp } numgen random mod 1000 < ${Math.round(percent * 10)} drop`;
    const rules = `table inet loss {\n chain input {\n type filter hook input priority 0;\n ${rule}\n }\n}\n`;
    await this.loseNothing(host);
    const { status, stderr } = await host.run("nft", ["-f", "-"], { input: rules });
    if (status !== 0) throw new Error(`nft: ${stderr}`);
  }

  /** Drops and inspects no more packets. */
  async loseNothing(host: Host): Promise<void> {
    await host.run("nft", ["delete", "table", "inet", "loss"]);
  }

  /** Ends every daemon and every namespace. */
  async destroy(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop("SIGKILL")));
    process.removeListener("exit", this.end);
    this.end();
  }

  /** It waits for nothing: it also runs when this process ends before its test has ended. */
  private readonly end = () => {
    for (const holder of this.holders) killAllInNetworkOf(holder.pid ?? 0);
    for (const mounted of this.tmpfs) spawnSync("umount", ["-l", mounted]);
    fs.rmSync(this.directory, { recursive: true, force: true });
  };

  private async plug(index: number, pid: number, ip: string): Promise<void> {
    const port = `port${index}`;
    const peer = ["peer", "name", "eth0", "netns", String(pid)];
    await must("ip", ["link", "add", port, "netns", String(this.switchPid), "type", "veth", ...peer]);
    await this.inside(this.switchPid, "ip", "link", "set", port, "master", "br0", "up");
    await this.inside(pid, "ip", "addr", "add", `${ip}/24`, "brd", "+", "dev", "eth0");
    await this.inside(pid, "ip", "link", "set", "eth0", "up");
    if (this.options.speed !== undefined) await this.limitSpeed(pid, index, this.options.speed);
  }

  private async limitSpeed(pid: number, index: number, speed: string): Promise<void> {
    const shape = ["root", "tbf", "rate", speed, "burst", "128k", "latency", "50ms"];
    await this.inside(pid, "tc", "qdisc", "add", "dev", "eth0", ...shape);
    await this.inside(this.switchPid, "tc", "qdisc", "add", "dev", `port${index}`, ...shape);
  }

  /** The holder ends when this process does, in whatever way, and with it all that runs in its network. */
  private async hold(hostName: string): Promise<number> {
    const script = `hostname ${hostName} && echo held && read -r end; ${KILL_ALL_HERE}`;
    const holder = spawn(
      "unshare",
      ["--net", "--uts", "--mount", "--propagation", "private", "sh", "-c", script],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    this.holders.push(holder);
    await new Promise((resolve, reject) => {
      holder.stdout.once("data", resolve);
      holder.once("exit", () => reject(new Error(`the namespace of ${hostName} cannot be made`)));
    });
    return holder.pid ?? 0;
  }

  private inside(pid: number, program: string, ...args: string[]): Promise<string> {
    return must("nsenter", ["-t", String(pid), "-n", "-u", "-m", "--", program, ...args]);
  }
}

/** Ends every process in a network namespace of this test: daemons in the background, and the holder. */
function killAllInNetworkOf(pid: number): void {
  const network = networkOf(pid);
  if (network === undefined || network === networkOf(process.pid)) return;
  killAll((one) => networkOf(one) === network);
}

function networkOf(pid: number): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}
