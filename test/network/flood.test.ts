import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { acquainted, DIST, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { must, sleep } from "../support/processes.ts";
import { makeFile } from "../support/trees.ts";
import { flood, type FloodKind } from "./flood.ts";

/** Packets of a stranger make a push slower by what it takes to look at them, and nothing more. */

const skip = await namespaceProblem();
const BYTES = 64_000_000;
const PER_SECOND = 30_000;
const PUSHES = 3;

/** How much longer a push may take beside a flood than beside the same flood to a port where nobody listens. */
const MOST_RATIO = 4;
/** A push of a third of a second is delayed by chance for longer than it takes. */
const CHANCE_MS = 1_500;

async function fleetOf(context: TestContext, receiverEnvironment: Record<string, string>) {
  const fleet = await NamespaceFleet.create({ hosts: 3, tmpfs: "300m" });
  context.after(() => fleet.destroy());
  const [sender, receiver, stranger] = fleet.hosts as [Host, Host, Host];
  const key = path.join(fleet.directory, "key");
  await must(path.join(DIST, "msync"), ["--keygen", key]);
  receiver.environment = receiverEnvironment;
  await Promise.all([sender, receiver].map((host) => host.start("-k", key)));
  await acquainted([sender, receiver]);
  return { sender, receiver, stranger };
}

let files = 0;

/** How long a push takes, in milliseconds: the middle one of a few. */
async function pushMs(sender: Host, receiver: Host): Promise<number> {
  const times: number[] = [];
  for (let push = 0; push < PUSHES; push++) {
    const name = `file${files++}`;
    makeFile(path.join(sender.base, name), BYTES);
    const beginMs = performance.now();
    const { status, stderr } = await sender.msync("-r");
    times.push(performance.now() - beginMs);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    for (const { base } of [sender, receiver]) fs.rmSync(path.join(base, name));
  }
  return times.toSorted((a, b) => a - b)[PUSHES >> 1] as number;
}

const counted = async (host: Host, line: string) =>
  Number(new RegExp(`^${line} : (\\d+)`, "m").exec((await host.msync("--status")).stdout)?.[1]);

test("control messages of strangers", { skip, timeout: 120_000 }, async (context) => {
  const { sender, receiver, stranger } = await fleetOf(context, {});
  const beside = async (kind: FloodKind, from: string) => {
    const flooder = await flood(stranger, { kind, perSecond: PER_SECOND, from });
    await sleep(500);
    const ms = await pushMs(sender, receiver);
    flooder.kill();
    return ms;
  };
  const quietMs = await pushMs(sender, receiver);
  const elsewhereMs = await beside("elsewhere", stranger.ip);
  for (const [kind, from] of [
    ["unknown", stranger.ip],
    ["member", sender.ip],
  ] as const) {
    const ms = await beside(kind, from);
    context.diagnostic(
      `${kind}: ${Math.round(ms)} ms, to another port ${Math.round(elsewhereMs)} ms, quiet ${Math.round(quietMs)} ms`,
    );
    assert.ok(ms < MOST_RATIO * elsewhereMs + CHANCE_MS);
  }
  assert.ok((await counted(receiver, "unexamined packets")) > 1_000);
  assert.ok((await counted(receiver, "foreign packets")) > 1_000);
});

test("fragments forged in the sender's name", { skip, timeout: 120_000 }, async (context) => {
  // Without the library fragments come one by one, and a forged one finds a place among them.
  const { sender, receiver, stranger } = await fleetOf(context, { MAKUOSAN_WITHOUT_FFI: "1" });
  const flooder = await flood(stranger, { kind: "fragment", perSecond: PER_SECOND / 10, from: sender.ip });
  context.diagnostic(`a push takes ${Math.round(await pushMs(sender, receiver))} ms`);
  flooder.kill();
  const spoiled = await counted(receiver, "spoiled blocks");
  context.diagnostic(`${spoiled} blocks were spoiled, and fetched again`);
  assert.ok(spoiled > 0);
});
