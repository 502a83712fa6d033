import assert from "node:assert/strict";
import { eventually } from "../support/processes.ts";
import type { Machine } from "./machine.ts";

/** What the tests do again and again on machines with the service. */

export const BASE = "/srv/makuosan";
export const CONFIG = "/etc/makuosan.conf";
export const KEY = "/etc/makuosan.key";

/** Sets keys of the config file in the way of an administrator: as lines at its end, where the last one counts. */
export async function configure(machine: Machine, lines: Readonly<Record<string, string>>): Promise<void> {
  for (const [key, value] of Object.entries(lines)) {
    await machine.shell(`sed -i '/^${key} = /d' ${CONFIG} && echo '${key} = ${value}' >> ${CONFIG}`);
  }
}

/** A base directory for the user of the service, and the same key everywhere. */
export async function prepare(machine: Machine, key: string): Promise<void> {
  await machine.shell(`install -d -o makuosan -g makuosan ${BASE}`);
  await machine.shell(`echo '${key}' > ${KEY} && chmod 600 ${KEY}`);
  await configure(machine, { base: BASE });
}

/** Waits until every machine knows all the others. */
export async function acquainted(machines: readonly Machine[]): Promise<void> {
  for (const machine of machines) {
    await eventually(
      `${machine.name} knows ${machines.length - 1} members`,
      async () =>
        (await machine.run("msync", "--members")).stdout.includes(`Total: ${machines.length - 1} members`),
      30_000,
    );
  }
}

/** A property of the service. */
export async function property(machine: Machine, name: string): Promise<string> {
  return (await machine.must("systemctl", "show", "--value", "-p", name, "makuosan")).trim();
}

export async function isActive(machine: Machine): Promise<boolean> {
  return (await machine.run("systemctl", "is-active", "makuosan")).stdout.trim() === "active";
}

/** The service must run; its state is the reason where it does not. */
export async function assertActive(machine: Machine): Promise<void> {
  const { stdout } = await machine.run("systemctl", "status", "--no-pager", "--lines=20", "makuosan");
  assert.ok(await isActive(machine), stdout);
}

/** What a push prints and returns. */
export async function push(from: Machine, ...args: string[]): Promise<void> {
  const { status, stdout, stderr } = await from.run("msync", ...args);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
}

/** The sums of all files below the base directory; empty where there are none. */
export function sums(machine: Machine): Promise<string> {
  return machine.shell(`cd ${BASE} && find . -type f -print0 | sort -z | xargs -0 -r sha256sum`);
}

/** Every machine has the same files. */
export async function assertSameFiles(machines: readonly Machine[]): Promise<void> {
  const [first, ...others] = machines;
  assert.ok(first !== undefined);
  const expected = await sums(first);
  for (const machine of others) assert.equal(await sums(machine), expected, machine.name);
}
