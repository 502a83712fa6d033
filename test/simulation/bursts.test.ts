import assert from "node:assert/strict";
import { test } from "node:test";
import { below, SeededRandom } from "../../src/base/random.ts";
import type { NodeEvent, TransferResult } from "../../src/engine/types.ts";
import { INBOUND_TRANSFERS } from "../../src/wire/limits.ts";
import { Versions } from "./contents.ts";
import { NO_DISK_FAULTS } from "./disk-trouble.ts";
import { ownPush } from "./draw.ts";
import { type Packet, SimulatedHost } from "./host.ts";
import { Machine } from "./machine.ts";
import { Network, NO_FAULTS } from "./network.ts";
import { Schedule } from "./schedule.ts";

/**
 * More transfers at once than members have places for. The oracle is time: whatever is lost on the way, all of them have
 * come to their end after a bounded time, at every member.
 */

const SETTINGS = { listsChanges: false, deleteLimit: { entries: 1000, percent: undefined } };
const INTRODUCTION_MS = 5_000;

class Crowd {
  private readonly random: SeededRandom;
  private readonly schedule = new Schedule();
  readonly network: Network<Packet>;
  readonly hosts: SimulatedHost[];
  readonly results: TransferResult[] = [];
  private pushes = 0;

  constructor(seed: number, count: number) {
    const random = new SeededRandom(seed);
    this.random = random;
    this.network = new Network<Packet>(this.schedule, random, (packet) => packet);
    const fleetwide = { random, versions: new Versions(random), announced: new Map() };
    this.hosts = Array.from({ length: count }, (_, index) => {
      const machine = new Machine(`host${index}`, `10.0.0.${index + 1}`, {}, SETTINGS, fleetwide);
      return new SimulatedHost(machine, (index + 1).toString(16).padStart(16, "0"), {
        schedule: this.schedule,
        network: this.network,
        random,
        diskFaults: NO_DISK_FAULTS,
        onEvent: (_host, event) => this.note(event),
        onSay: () => undefined,
        onDeath: () => assert.fail("nobody dies"),
      });
    });
    for (const host of this.hosts) host.start();
    this.runFor(INTRODUCTION_MS);
    for (const host of this.hosts) assert.equal(host.engine.membership.size, count - 1);
  }

  /** Each of these hosts pushes a directory of its own, some time within `withinMs`. */
  push(hosts: readonly SimulatedHost[], withinMs: number): void {
    for (const host of hosts)
      this.schedule.after(withinMs === 0 ? 0 : below(this.random, withinMs), () => {
        const own = `own${++this.pushes}`;
        host.machine.edit((edits) => edits.put(`${own}/file`));
        host.startTransfer({ ...ownPush(this.random, own), dryRun: false, allOrNothing: false });
      });
  }

  /** One host does not hear another for some time. */
  deafen(from: SimulatedHost, to: SimulatedHost, forMs: number): void {
    this.network.cutLink(from.machine.ip, to.machine.ip, true);
    this.schedule.after(forMs, () => this.network.cutLink(from.machine.ip, to.machine.ip, false));
  }

  /** @returns how long it took until so many transfers had ended */
  runUntilEnded(count: number, mostMs: number): number {
    const startMs = this.schedule.nowMs;
    while (this.results.length < count) {
      assert.ok(
        this.schedule.nowMs - startMs < mostMs,
        `${count - this.results.length} of ${count} transfers stand still after ${mostMs} ms`,
      );
      this.schedule.step();
    }
    return this.schedule.nowMs - startMs;
  }

  judge(): void {
    for (const { verdicts } of this.results)
      for (const { hostName, outcome, reason } of verdicts)
        assert.equal(outcome, "done", `${hostName}: ${reason}`);
  }

  private runFor(ms: number): void {
    const endMs = this.schedule.nowMs + ms;
    while (this.schedule.nextMs() <= endMs) this.schedule.step();
    this.schedule.nowMs = endMs;
  }

  private note(event: NodeEvent): void {
    if (event.kind === "transfer-finished") this.results.push(event.result);
  }
}

for (const withinMs of [0, 50]) {
  test(`20 hosts that each push within ${withinMs} ms, with 5 % of loss, come to their end`, () => {
    const crowd = new Crowd(1, 20);
    crowd.network.faults = { ...NO_FAULTS, receiverLoss: 0.05 };
    crowd.push(crowd.hosts, withinMs);
    crowd.runUntilEnded(20, 20_000);
    crowd.judge();
  });
}

test("two hosts with as many pushes as there are places, each unheard by one member at first", () => {
  for (let seed = 1; seed <= 3; seed++) {
    const crowd = new Crowd(seed, 4);
    const [one, two, three, four] = crowd.hosts as [
      SimulatedHost,
      SimulatedHost,
      SimulatedHost,
      SimulatedHost,
    ];
    crowd.deafen(one, three, 4_000);
    crowd.deafen(two, four, 4_000);
    for (let count = 0; count < INBOUND_TRANSFERS; count++) crowd.push([one, two], 0);
    crowd.runUntilEnded(2 * INBOUND_TRANSFERS, 15_000);
    crowd.judge();
  }
});

test("6 of 16 hosts that push eight times each at once", () => {
  const crowd = new Crowd(1, 16);
  crowd.network.faults = { ...NO_FAULTS, receiverLoss: 0.02 };
  for (let count = 0; count < 8; count++) crowd.push(crowd.hosts.slice(0, 6), 30);
  crowd.runUntilEnded(48, 30_000);
  crowd.judge();
});
