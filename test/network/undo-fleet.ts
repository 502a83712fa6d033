/** Hosts that keep what pushes replace, for tests that take pushes back. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { acquainted, type Host } from "../support/host.ts";
import { type FleetOptions, NamespaceFleet } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";

export type Three = [Host, Host, Host];

/** Starts a daemon that keeps five pushes. */
export async function start(fleet: NamespaceFleet, host: Host, ...more: string[]): Promise<void> {
  const state = path.join(fleet.directory, `state-${host.name}`);
  fs.mkdirSync(state, { recursive: true });
  await host.start("--state", state, "--undo", "5", ...more);
}

/** A fleet that keeps what is needed to take pushes back. */
export async function fleetOf(hosts: number, options: Partial<FleetOptions> = {}): Promise<NamespaceFleet> {
  const fleet = await NamespaceFleet.create({ hosts, ...options });
  await fleet.orDestroyed(async () => {
    for (const host of fleet.hosts) await start(fleet, host);
    await acquainted(fleet.hosts);
  });
  return fleet;
}

/** The output of a command that has to succeed, without the warning that this fleet has no key. */
export async function msync(host: Host, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await host.msync(...args);
  const warnings = stderr.replace(
    /^warning: (no key is set|.* gets the former files from another host|host\d: it keeps its files, because).*\n/gm,
    "",
  );
  assert.deepEqual({ status, stderr: warnings }, { status: 0, stderr: "" }, args.join(" "));
  return stdout;
}

/** Every entry of a host with its type, rights, time and contents. */
export async function look(host: Host): Promise<string> {
  const list =
    "find . -path ./.makuosan -prune -o ! -name . -printf '%p %y %m %T@ %l\\n' | sort; grep -r . . --exclude-dir=.makuosan | sort";
  return (await host.run("sh", ["-c", `cd /var/www && ${list}`])).stdout;
}

/** Checks that hosts have the same tree. */
export async function allLook(hosts: readonly Host[], like: string): Promise<void> {
  for (const host of hosts) assert.equal(await look(host), like, host.name);
}

/** Waits until a host is ready for the switch of a transfer with this number. */
export async function becomesReady(host: Host, transfer: number): Promise<void> {
  const script = `ls /var/www/.makuosan/*-${transfer}/ready`;
  await eventually(`${host.name} is ready`, async () => (await host.run("sh", ["-c", script])).status === 0);
}

/** The id of the last push that a host has sent. */
export async function lastSent(host: Host): Promise<string> {
  const sent = (await msync(host, "--history", "-v")).match(/^\S+ \S+ sent .* id (\S+)$/gm) ?? [];
  return sent.at(-1)?.split(" ").at(-1) ?? "";
}

/** The id of the last undo that a host has sent; it may have brought files to others since. */
export async function lastUndo(host: Host): Promise<string> {
  const sent = (await msync(host, "--history", "-v")).match(/^\S+ \S+ sent .*\(undo of .* id (\S+)$/gm) ?? [];
  return sent.at(-1)?.split(" ").at(-1) ?? "";
}
