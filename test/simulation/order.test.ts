import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { type NodeEvent, inboundName } from "../../src/engine/types.ts";
import { SimulatedDisk } from "./disk.ts";
import { type Packet, SimulatedHost } from "./host.ts";
import { Network } from "./network.ts";
import { Schedule } from "./schedule.ts";
import { SimulatedSource } from "./source.ts";

/** Cases of the order of commits that random faults rarely meet. */

type Four = [SimulatedHost, SimulatedHost, SimulatedHost, SimulatedHost];

class SmallWorld {
  readonly schedule = new Schedule();
  private readonly random = new SeededRandom(1);
  readonly network = new Network<Packet>(this.schedule, this.random, (packet) => packet);
  readonly events: NodeEvent[] = [];

  start(index: number, epoch: number, disk = new SimulatedDisk(new Map())): SimulatedHost {
    const { schedule, network, random } = this;
    const onEvent = (_: SimulatedHost, event: NodeEvent) => this.events.push(event);
    const surroundings = { schedule, network, random, diskFaults: { staging: 0, stall: 0 }, onEvent };
    const name = epoch.toString(16).padStart(16, "0");
    return new SimulatedHost(`host${index}`, `10.0.0.${index}`, name, disk, surroundings);
  }

  /** Sends one file to some hosts; the name of the transfer. */
  send(sender: SimulatedHost, transfer: number, receivers: readonly SimulatedHost[]): string {
    sender.sources.set(transfer, new SimulatedSource([{ path: "file", version: `${transfer}`, pieces: 1 }]));
    const epochs = receivers.map(({ epoch }) => epoch);
    const targets = [...sender.engine.membership.members].filter(({ epoch }) => epochs.includes(epoch));
    assert.equal(targets.length, receivers.length, "the sender knows all receivers");
    sender.handle({
      kind: "start-transfer",
      request: { transfer, targets, dryRun: false, allOrNothing: false },
    });
    return inboundName({ epoch: sender.epoch, transfer });
  }

  runUntil(isDone: () => boolean): void {
    const endMs = this.schedule.nowMs + 30_000;
    while (!isDone()) {
      assert.ok(this.schedule.nowMs < endMs, "not done after 30 s");
      this.schedule.step();
    }
  }

  runFor(ms: number): void {
    const endMs = this.schedule.nowMs + ms;
    while (this.schedule.nextMs() <= endMs) this.schedule.step();
    this.schedule.nowMs = endMs;
  }
}

/** @param deafAfterMs when, after the start of a transfer, one of its members hears nothing more of its sender */
function restartedBehindCommit(deafAfterMs: number): { back: string[]; deaf: string[] } {
  const world = new SmallWorld();
  const [one, two, busy, deaf] = [1, 2, 3, 4].map((index) => world.start(index, index)) as Four;
  world.runFor(5_000);
  // The clock of one member is ahead of all others.
  for (const transfer of [1, 2, 3]) {
    const name = world.send(one, transfer, [busy]);
    world.runUntil(() => busy.disk.committed.has(name));
  }
  const earlier = world.send(one, 4, [busy, deaf]);
  world.runFor(deafAfterMs);
  world.network.cutLink(one.ip, deaf.ip, true);
  world.runFor(500);
  busy.crash();
  const back = world.start(3, 5, busy.disk);
  world.runUntil(() => [...two.engine.membership.members].some(({ epoch }) => epoch === back.epoch));
  const later = world.send(two, 5, [back, deaf]);
  world.runUntil(() => back.disk.committed.has(later));
  world.network.cutLink(one.ip, deaf.ip, false);
  world.runUntil(() => one.engine.isIdle && two.engine.isIdle);
  const both = (host: SimulatedHost) =>
    [...host.disk.committed].filter((name) => [earlier, later].includes(name));
  return { back: both(back), deaf: both(deaf) };
}

test("a member that is restarted behind a commit does not put a later one before it elsewhere", () => {
  let met = 0;
  for (let deafAfterMs = 0; deafAfterMs < 30; deafAfterMs += 0.25) {
    const { back, deaf } = restartedBehindCommit(deafAfterMs);
    if (back.length < 2 || deaf.length < 2) continue;
    assert.deepEqual(back, deaf, `deaf after ${deafAfterMs} ms`);
    met++;
  }
  assert.ok(met > 0, "both have committed both");
});
