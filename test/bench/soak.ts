import fs from "node:fs";
import path from "node:path";
import { acquainted, type Host } from "../support/host.ts";
import { connectTo, pushOver } from "../support/console.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { memory } from "./usage.ts";

/**
 * `make soak`: many small pushes from one daemon to another, and how much memory both take meanwhile. PUSHES= how many;
 * a line for each five hundred. The most of the second half must be
 * little more than that of the first one: then it is a plateau.
 */

const PUSHES = Number(process.env.PUSHES ?? 6_000);
const LINES = 12;
/** A heap that is in use moves by a few MiB from one look to the next. */
const MOST_GROWTH_KIB = 8 * 1024;
/** Three files of each push: a new one, one that changes, and one that goes. */
const FILES = 40;

async function soak(): Promise<number> {
  const fleet = await NamespaceFleet.create({ hosts: 2, tmpfs: "64m" });
  try {
    await Promise.all(fleet.hosts.map((host) => host.start()));
    await acquainted(fleet.hosts);
    return judge(await measure(fleet.hosts as [Host, Host]));
  } finally {
    await fleet.destroy();
  }
}

/** Own memory in KiB of the sender and of the receiver, after each part of the pushes. */
async function measure([sender, receiver]: [Host, Host]): Promise<[number, number][]> {
  const client = await connectTo(sender);
  const found: [number, number][] = [];
  for (let number = 0; number <= PUSHES; number++) {
    if (number % Math.ceil(PUSHES / LINES) === 0) {
      const [from, to] = [memory(sender.pid), memory(receiver.pid)];
      found.push([from.ownKiB, to.ownKiB]);
      console.log(
        `${String(number).padStart(6)} pushes: sender ${mib(from.residentKiB)} (own ${mib(from.ownKiB)}), ` +
          `receiver ${mib(to.residentKiB)} (own ${mib(to.ownKiB)})`,
      );
    }
    const changed = path.join(sender.base, `d${number % 7}`);
    fs.mkdirSync(changed, { recursive: true });
    fs.writeFileSync(path.join(changed, `f${number % FILES}`), String(number));
    fs.rmSync(path.join(changed, `f${(number + FILES / 2) % FILES}`), { force: true });
    const result = await pushOver(client, [""], { deletes: "also", isForced: true });
    if (result.exitStatus !== 0) throw new Error(`push ${number}: ${JSON.stringify(result.hosts)}`);
  }
  client.close();
  return found;
}

/** The heap rises and falls with its collections: the most of the second half is compared with that of the first one. */
function judge(found: readonly [number, number][]): number {
  let status = 0;
  const middle = Math.ceil(found.length / 2);
  for (const [side, name] of ["sender", "receiver"].entries()) {
    const values = found.map((one) => one[side] ?? 0);
    const [first, second] = [Math.max(...values.slice(0, middle)), Math.max(...values.slice(middle))];
    console.log(`${name}: at most ${mib(first)} in the first half, ${mib(second)} in the second`);
    if (second > first + MOST_GROWTH_KIB) status = 1;
  }
  if (status !== 0) console.log("that is no plateau");
  return status;
}

const mib = (kib: number) => `${(kib / 1024).toFixed(1)} MiB`;

const problem = await namespaceProblem();
if (problem === undefined) process.exitCode = await soak();
else console.log(`skipped: ${problem}`);
