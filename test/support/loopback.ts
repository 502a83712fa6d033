import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DIST, Host } from "./host.ts";
import { nextPort } from "./ports.ts";
import { killAll } from "./processes.ts";
import { removeTree } from "./trees.ts";

/**
 * A fleet on 127.0.0.x, which needs no root: all daemons run as an ordinary user. If the tests run as root, the daemons
 * become the user nobody first.
 */

const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

export class LoopbackFleet {
  readonly hosts: Host[] = [];
  readonly directory: string;

  private constructor() {
    this.directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-loopback-")));
    fs.chmodSync(this.directory, 0o755);
    process.once("exit", this.end);
  }

  static create(count: number, daemonArguments: readonly string[] = []): LoopbackFleet {
    const fleet = new LoopbackFleet();
    // Other users may have no access to the project's own folder; a copy of the executable works anywhere.
    const programs = path.join(fleet.directory, "bin");
    fs.mkdirSync(programs);
    fs.copyFileSync(path.join(DIST, "makuosan"), path.join(programs, "makuosan"));
    fs.linkSync(path.join(programs, "makuosan"), path.join(programs, "msync"));
    const port = nextPort();
    for (let index = 1; index <= count; index++) fleet.addHost(index, port, programs, daemonArguments);
    return fleet;
  }

  async destroy(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop("SIGKILL")));
    process.removeListener("exit", this.end);
    this.end();
  }

  /** Ends also what a test that has failed has left, such as a command that watches. */
  private readonly end = () => {
    killAll((pid) => isBelow(this.directory, pid));
    removeTree(this.directory);
  };

  private addHost(index: number, port: number, programs: string, more: readonly string[]): void {
    const name = `host${index}`;
    const home = path.join(this.directory, name);
    const base = path.join(home, "base");
    fs.mkdirSync(base, { recursive: true });
    if (isRoot) for (const directory of [home, base]) fs.chownSync(directory, NOBODY, NOBODY);
    const become = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"];
    const host = new Host({
      name,
      ip: `127.0.0.${index}`,
      base,
      innerBase: base,
      socket: path.join(home, "socket"),
      place: { prefix: isRoot ? become : [] },
      daemonArguments: [
        "--config",
        "/dev/null",
        "-i",
        `127.0.0.${index}`,
        "-p",
        String(port),
        "--name",
        name,
        // A makuosan that is installed on this machine has its own configuration.
        "--config",
        "/dev/null",
        ...more,
      ],
      programs,
    });
    this.hosts.push(host);
  }
}

/** Whether a process runs a program of a directory. */
function isBelow(directory: string, pid: number): boolean {
  try {
    return fs.readlinkSync(`/proc/${pid}/exe`).startsWith(`${directory}/`);
  } catch {
    return false;
  }
}
