import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { DIST, type Host } from "./host.ts";
import { NamespaceFleet } from "./namespaces.ts";
import type { Finished } from "./processes.ts";

/**
 * Servers on which makuosan is installed as by the packages: with the shipped config file, a key, a user and a service. Each
 * is a host of a NamespaceFleet whose /etc and /srv are its own, so that commands can be carried out as they are printed.
 */

const PROJECT = path.join(import.meta.dirname, "../..");
export const BASE = "/srv/makuosan";

/** Does with a daemon in the background what the service manager does. */
const SYSTEMCTL = `#!/bin/sh
stop() {
  pid=$(msync --status 2>/dev/null | sed -n 's/^process : //p')
  [ -n "$pid" ] || return 0
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}
case "$1 $2" in
  'start makuosan') exec makuosan ;;
  'restart makuosan') stop; exec makuosan ;;
  *) echo "systemctl $* is not known here" >&2; exit 1 ;;
esac
`;

/** One server; its daemon is not started yet. */
export class Server {
  readonly host: Host;
  private readonly path: string;

  constructor(host: Host, programs: string) {
    this.host = host;
    this.path = `${programs}:${DIST}:/usr/sbin:/usr/bin:/sbin:/bin`;
  }

  /** Runs a line of shell as root. */
  run(command: string): Promise<Finished> {
    return this.host.run("env", [`PATH=${this.path}`, "sh", "-c", command]);
  }

  /** Runs a line of shell that must succeed. */
  async must(command: string): Promise<string> {
    const { status, stdout, stderr } = await this.run(command);
    assert.equal(status, 0, `${this.host.name}: ${command}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Runs a line of shell as a user who has just logged in. */
  runAs(user: string, command: string): Promise<Finished> {
    const become = `setpriv --reuid=${user} --regid=${user} --init-groups --`;
    return this.run(`exec ${become} env PATH=${this.path} ${command}`);
  }
}

/** Makes servers that are installed and configured, and not started. */
export async function installServers(
  count: number,
): Promise<{ readonly fleet: NamespaceFleet; readonly servers: Server[] }> {
  const fleet = await NamespaceFleet.create({ hosts: count });
  const programs = path.join(fleet.directory, "programs");
  const servers = fleet.hosts.map((host) => new Server(host, programs));
  await fleet.orDestroyed(async () => {
    fs.mkdirSync(programs);
    fs.writeFileSync(path.join(programs, "systemctl"), SYSTEMCTL, { mode: 0o755 });
    const key = (await servers[0]?.must("msync --keygen")) ?? "";
    for (const server of servers) await install(server, key);
  });
  return { fleet, servers };
}

async function install(server: Server, key: string): Promise<void> {
  const overlay = "lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work";
  await server.must("mkdir -p /run/etc/upper /run/etc/work /run/state");
  await server.must(`mount -t overlay overlay -o ${overlay} /etc && mount -t tmpfs tmpfs /srv`);
  await server.must("rm -rf /etc/makuosan.conf.d && mkdir /etc/makuosan.conf.d");
  await server.must(`cat ${path.join(PROJECT, "etc/makuosan.conf")} > /etc/makuosan.conf`);
  await server.must("getent passwd makuosan >/dev/null || useradd --system --user-group makuosan");
  await server.must("chown makuosan: /run/state && makuosan --set state=/run/state");
  await server.must(`umask 77 && printf '%s' '${key}' > /etc/makuosan.key`);
  await server.must(`install -d -o makuosan -g makuosan ${BASE} && makuosan --set base=${BASE}`);
}

/** The commands in single quotes that a sentence names. */
export function commandsOf(sentence: string): string[] {
  return [...sentence.matchAll(/'([a-z]+ [^']+)'/g)].map(([, command = ""]) => command);
}
