import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DIST, Host } from "./host.ts";
import { removeTree } from "./trees.ts";

/**
 * A fleet on 127.0.0.x, which needs no root: all daemons run as an ordinary user. If the tests run as root, the daemons
 * become the user nobody first.
 */

const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

let fleets = 0;

export class LoopbackFleet {
  readonly hosts: Host[] = [];
  readonly directory: string;

  private constructor() {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-loopback-"));
    fs.chmodSync(this.directory, 0o755);
  }

  static create(count: number, daemonArguments: readonly string[] = []): LoopbackFleet {
    const fleet = new LoopbackFleet();
    // Other users may have no access to the project's own folder; a copy of the executable works anywhere.
    const programs = path.join(fleet.directory, "bin");
    fs.mkdirSync(programs);
    fs.copyFileSync(path.join(DIST, "makuosan"), path.join(programs, "makuosan"));
    fs.linkSync(path.join(programs, "makuosan"), path.join(programs, "msync"));
    const port = 20_000 + ((process.pid * 7 + fleets++) % 20_000);
    for (let index = 1; index <= count; index++) fleet.addHost(index, port, programs, daemonArguments);
    return fleet;
  }

  async destroy(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop("SIGKILL")));
    removeTree(this.directory);
  }

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
