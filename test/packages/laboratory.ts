import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { hasProgram, must } from "../support/processes.ts";
import { baseSystem, type SystemWishes } from "./base-system.ts";
import { Machine } from "./machine.ts";

/**
 * A room for booted machines: a mount namespace and a network namespace of its own, with a bridge that no network
 * outside is joined to. All mounts end with the process that holds the room.
 */

const ROOM = "/run/laboratory";
const BRIDGE = "bridge0";

/** Within the room: a place for trees, the one hierarchy of control groups, and the bridge. */
const SET_UP = `
set -e
mount -t tmpfs tmpfs /run
mkdir ${ROOM}
mount -t tmpfs -o size=75% tmpfs ${ROOM}
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
  umount -R /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
mkdir "/sys/fs/cgroup/$1"
ip link set lo up
ip link add ${BRIDGE} type bridge mcast_snooping 0
ip link set ${BRIDGE} up
echo ready
exec sleep infinity
`;

/** Why machines cannot be booted here; undefined where they can. */
export async function laboratoryProblem(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "booted containers need root";
  for (const [program, debianPackage] of [
    ["systemd-nspawn", "systemd-container"],
    ["mmdebstrap", "mmdebstrap"],
    ["ip", "iproute2"],
  ] as const) {
    if (!(await hasProgram(program)))
      return `booted containers need ${program} (apt-get install ${debianPackage})`;
  }
  let trial: Laboratory | undefined;
  try {
    trial = await Laboratory.open();
    await trial.must(
      "sh",
      "-c",
      `cd ${ROOM} && mkdir u w m && mount -t overlay -o lowerdir=/etc,upperdir=u,workdir=w o m`,
    );
    return undefined;
  } catch (error) {
    return `booted containers cannot run here: ${(error as Error).message.trim()}`;
  } finally {
    await trial?.close();
  }
}

export class Laboratory {
  /** The control group that all machines are below. */
  readonly controlGroup = `makuosan-tests-${process.pid}`;
  readonly machines: Machine[] = [];
  private readonly holder: ChildProcess;

  private constructor(holder: ChildProcess) {
    this.holder = holder;
  }

  static async open(): Promise<Laboratory> {
    const holder = spawn(
      "unshare",
      [
        "--mount",
        "--net",
        "--propagation",
        "private",
        "sh",
        "-c",
        SET_UP,
        "sh",
        `makuosan-tests-${process.pid}`,
      ],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const laboratory = new Laboratory(holder);
    let errors = "";
    holder.stderr.on("data", (bytes: Buffer) => (errors += bytes.toString()));
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once("data", () => resolve());
      holder.once("error", reject);
      holder.once("close", () => reject(new Error(errors)));
    });
    return laboratory;
  }

  /** The command that runs a program in the room. */
  command(program: string, args: readonly string[]): string[] {
    return ["nsenter", "-t", String(this.holder.pid), "-m", "-n", "--", program, ...args];
  }

  must(program: string, ...args: string[]): Promise<string> {
    const [first = program, ...rest] = this.command(program, args);
    return must(first, rest);
  }

  /**
   * Boots one more machine, and waits until it has come up.
   *
   * @param folders what it sees of the machine outside, read-only: from each path inside to one outside
   */
  async boot(
    name: string,
    folders: Readonly<Record<string, string>>,
    wishes: SystemWishes = {},
  ): Promise<Machine> {
    const ip = `10.78.0.${this.machines.length + 1}`;
    const root = path.join(ROOM, name);
    const lower = await baseSystem(wishes);
    await this.must(
      "sh",
      "-c",
      `mkdir -p ${root}.upper ${root}.work ${root} &&
       mount -t overlay -o lowerdir=${lower},upperdir=${root}.upper,workdir=${root}.work overlay ${root} &&
       printf '[Match]\\nName=host0\\n[Network]\\nAddress=${ip}/24\\n' > ${root}/etc/systemd/network/10-host0.network &&
       echo ${name} > ${root}/etc/hostname`,
    );
    const machine = new Machine({ laboratory: this, name, ip, root, bridge: BRIDGE, folders });
    this.machines.push(machine);
    await machine.boot();
    return machine;
  }

  /** Ends all machines, and with the room everything that was made in it. */
  async close(): Promise<void> {
    await Promise.all(this.machines.map((machine) => machine.powerOff()));
    await this.must("find", `/sys/fs/cgroup/${this.controlGroup}`, "-depth", "-type", "d", "-delete");
    const ended = new Promise((resolve) => this.holder.once("close", resolve));
    this.holder.kill("SIGKILL");
    await ended;
  }
}
