import fs from "node:fs";
import path from "node:path";
import { below, SeededRandom } from "../../src/base/random.ts";
import { connectTo, pushOver } from "../support/console.ts";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { eventually, sleep } from "../support/processes.ts";
import { Faults, ROOM } from "./faults.ts";
import { judge, type Push, type Tree } from "./judge.ts";
import { edit, listing, MIXTURE, SLOTS, valueOf } from "./slots.ts";

/**
 * `make chaos SECONDS=`: real daemons in namespaces push at random, several at a time, while they are killed, stopped and
 * cut off, and while their disks are full. After each round all is healed: then trees and verdicts must be explained by
 * one order of the commits, and nothing may be left over. SEED= draws the same rounds again; what meets what in them is
 * up to the machine.
 */

const SECONDS = Number(process.env.SECONDS ?? 60);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Hosts get what they have missed by themselves. */
const CATCHES_UP = process.env.CATCH_UP === "1";
const HOSTS = 4;
/** The pushes of a round begin within this time, so that they meet each other and the faults. */
const SPREAD_MS = 600;
/** A sender that is gone is given up after some time; then its rest is cleared away. */
const HEALED_WITHIN_MS = 90_000;
/** After an attempt that has failed, a host tries again a minute later: some rounds end before that. */
const SETTLED_WITHIN_MS = 15_000;

async function chaos(): Promise<number> {
  console.log(`seed ${SEED}`);
  // In the namespace of each host, this is a directory of its own that outlives the daemon.
  const daemonArguments = ["--state", "/run/state", ...(CATCHES_UP ? [] : ["--no-catch-up"])];
  const fleet = await NamespaceFleet.create({ hosts: HOSTS, tmpfs: ROOM, daemonArguments });
  const endMs = performance.now() + SECONDS * 1000;
  const run = new ChaosRun(fleet, SEED);
  try {
    await Promise.all(fleet.hosts.map((host) => host.run("mkdir", ["/run/state"])));
    await Promise.all(fleet.hosts.map((host) => host.start()));
    await acquainted(fleet.hosts);
    while (performance.now() < endMs) {
      const problems = await run.round();
      if (problems.length === 0) continue;
      for (const line of [...run.report(), ...problems]) console.log(line);
      for (const host of fleet.hosts)
        console.log(`--- ${host.name}\n${host.log.split("\n").slice(-30).join("\n")}`);
      console.log(`look at it again with: make chaos SEED=${SEED}`);
      return 1;
    }
    console.log(run.summary());
    return 0;
  } catch (error) {
    for (const line of run.report()) console.log(line);
    for (const host of fleet.hosts)
      console.log(`--- ${host.name}\n${host.log.split("\n").slice(-30).join("\n")}`);
    throw error;
  } finally {
    await fleet.destroy();
  }
}

class ChaosRun {
  private readonly fleet: NamespaceFleet;
  private readonly random: SeededRandom;
  private readonly faults: Faults;
  private pushes: readonly Push[] = [];
  private nextPush = 1;
  private rounds = 0;
  private readonly counts = new Map<string, number>();

  constructor(fleet: NamespaceFleet, seed: number) {
    this.fleet = fleet;
    this.random = new SeededRandom(seed);
    this.faults = new Faults(fleet, this.random);
  }

  /** @returns what is not as it should be */
  async round(): Promise<string[]> {
    const { hosts } = this.fleet;
    this.rounds++;
    // A program that edits an entry while it is replaced may leave a mixture: that is no fault of a push.
    const senders = hosts.filter(() => below(this.random, 3) > 0);
    this.pushes = senders.map((host) => this.editBy(host)).filter(({ slots }) => slots.length > 0);
    const before = treesOf(hosts);
    const faults = this.faults.begin();
    console.log(`round ${this.rounds}: ${this.faults.plan.join(", ") || "no faults"}`);
    const running = this.pushes.map((push) => this.push(push));
    await Promise.all([...faults, sleep(SPREAD_MS)]);
    await this.faults.heal();
    await withinTime("all pushes have ended", Promise.all(running));
    await acquainted(hosts);
    await eventually("nothing is left over", () => hosts.every(isClean), HEALED_WITHIN_MS);
    if (CATCHES_UP) await this.settle();
    const after = treesOf(hosts);
    const problems = [
      ...judge(this.pushes, before, after, CATCHES_UP),
      ...hosts.flatMap(superfluousProcesses),
    ];
    for (const { result } of this.pushes) this.count(result);
    return problems.length > 0 ? problems : this.makeEqual();
  }

  /** Waits until all hosts have what they have missed. What was edited since nobody can bring any more. */
  private async settle(): Promise<void> {
    const isCurrent = async (host: Host) =>
      /^catch-up : current/m.test((await host.msync("--status")).stdout);
    const areCurrent = async () => !(await Promise.all(this.fleet.hosts.map(isCurrent))).includes(false);
    await eventually("all are current", areCurrent, SETTLED_WITHIN_MS).then(
      () => this.note("current"),
      () => this.note("behind"),
    );
    await eventually("nothing is left over", () => this.fleet.hosts.every(isClean), HEALED_WITHIN_MS);
  }

  /** All that a reader needs to see what has happened in the last round. */
  report(): string[] {
    return [
      ...this.pushes.map((push) => `push ${push.number}: ${JSON.stringify(push)}`),
      ...this.fleet.hosts.map(
        (host) =>
          `${host.name}: ${SLOTS.map((slot) => `${slot}=${valueOf(host.base, slot)}`).join(" ")}` +
          SLOTS.filter((slot) => valueOf(host.base, slot) === MIXTURE)
            .map((slot) => `; ${slot}: ${listing(host.base, slot)}`)
            .join(""),
      ),
    ];
  }

  summary(): string {
    const counts = [...this.counts].map(([what, count]) => `${count} ${what}`).join(", ");
    return `${this.rounds} rounds with ${this.nextPush - 1} pushes, all as it should be: ${counts}`;
  }

  private editBy({ name, base }: Host): Push {
    const slots = SLOTS.filter(() => below(this.random, 2) === 0);
    const number = this.nextPush++;
    for (const slot of slots) edit(base, slot, number);
    const none = { endedMs: Infinity, result: undefined, omitted: [] };
    return { number, sender: name, slots, beganMs: Infinity, ...none };
  }

  private async push(push: Push): Promise<void> {
    const host = this.fleet.hosts.find(({ name }) => name === push.sender)!;
    const delayMs = below(this.random, SPREAD_MS);
    const allOrNothing = below(this.random, 4) === 0;
    await sleep(delayMs);
    push.beganMs = performance.now();
    try {
      const client = await connectTo(host);
      const rules = { deletes: "also", isForced: true, syncs: true, allOrNothing } as const;
      push.result = await pushOver(client, push.slots, rules, (event) => {
        if (event.event !== "notice" && event.event !== "note") return;
        const [slot = ""] = event.path.split("/");
        push.omitted.push({ host: event.event === "note" ? event.host : "", slot });
      });
      push.endedMs = performance.now();
      client.close();
    } catch {
      // The daemon was killed: nobody knows what has become of its push.
    }
  }

  /** Without faults, a push from any host brings every tree to the same state. */
  private async makeEqual(): Promise<string[]> {
    const { hosts } = this.fleet;
    const sender = hosts[below(this.random, hosts.length)]!;
    const client = await connectTo(sender);
    const result = await pushOver(client, [""], { deletes: "also", isForced: true });
    client.close();
    if (result.exitStatus !== 0) return [`the healed fleet cannot be pushed to: ${JSON.stringify(result)}`];
    const trees = treesOf(hosts);
    const wanted = JSON.stringify([...(trees.get(sender.name) ?? [])]);
    return hosts
      .filter(({ name }) => JSON.stringify([...(trees.get(name) ?? [])]) !== wanted)
      .map(({ name }) => `${name} is not like ${sender.name} after a push without faults`);
  }

  private note(word: string): void {
    this.counts.set(word, (this.counts.get(word) ?? 0) + 1);
  }

  private count(result: Push["result"]): void {
    const words =
      result === undefined
        ? ["unknown"]
        : result.aborted !== undefined
          ? ["aborted"]
          : result.hosts.map(({ outcome }) => outcome);
    for (const word of words) this.note(word);
  }
}

function treesOf(hosts: readonly Host[]): Map<string, Tree> {
  return new Map(
    hosts.map(({ name, base }) => [name, new Map(SLOTS.map((slot) => [slot, valueOf(base, slot)]))]),
  );
}

const isClean = ({ base }: Host) => !fs.existsSync(path.join(base, ".makuosan"));

/** In the namespace of a host there are only the process that holds it, and the daemon. */
function superfluousProcesses(host: Host): string[] {
  const network = fs.readlinkSync(`/proc/${host.pid}/ns/net`);
  const names = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name) && networkOf(name) === network);
  const commands = names.map((name) => fs.readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0")[0] ?? "");
  const others = commands.filter((command) => !/^sleep$|(^|\/)makuosan$/.test(command));
  return others.length === 0 && names.length === 2
    ? []
    : [`${host.name} has these processes: ${commands.join(", ")}`];
}

function networkOf(pid: string): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

/** @throws if some work has not ended after all is healed */
async function withinTime(what: string, work: Promise<unknown>): Promise<void> {
  const cancel = new AbortController();
  const isLate = sleep(HEALED_WITHIN_MS).then(() => {
    if (!cancel.signal.aborted) throw new Error(`after ${HEALED_WITHIN_MS} ms still not: ${what}`);
  });
  await Promise.race([work, isLate]);
  cancel.abort();
}

const problem = await namespaceProblem();
if (problem === undefined) process.exitCode = await chaos();
else console.log(`skipped: ${problem}`);
