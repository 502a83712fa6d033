import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { type NodeEvent, inboundName } from "../../src/engine/types.ts";
import { Versions } from "./contents.ts";
import { NO_DISK_FAULTS } from "./disk-trouble.ts";
import { type Packet, SimulatedHost } from "./host.ts";
import { Machine } from "./machine.ts";
import { Network } from "./network.ts";
import { Schedule } from "./schedule.ts";
import { wholePush } from "./draw.ts";

/** Cases of the order of commits that random faults rarely meet. */

type Four = [SimulatedHost, SimulatedHost, SimulatedHost, SimulatedHost];

const SETTINGS = { listsChanges: false, deleteLimit: { entries: 100, percent: undefined } };

class SmallWorld {
  readonly schedule = new Schedule();
  private readonly random = new SeededRandom(1);
  readonly network = new Network<Packet>(this.schedule, this.random, (packet) => packet);
  readonly events: NodeEvent[] = [];
  private readonly fleetwide = {
    random: this.random,
    versions: new Versions(this.random),
    announced: new Map(),
  };

  makeMachine(index: number): Machine {
    return new Machine(`host${index}`, `10.0.0.${index}`, {}, SETTINGS, this.fleetwide);
  }

  start(machine: Machine, epoch: number): SimulatedHost {
    const { schedule, network, random } = this;
    const host = new SimulatedHost(machine, epoch.toString(16).padStart(16, "0"), {
      schedule,
      network,
      random,
      diskFaults: NO_DISK_FAULTS,
      onEvent: (_, event) => this.events.push(event),
      onSay: () => undefined,
      onDeath: () => assert.fail("nobody dies in the middle of a call"),
    });
    host.start();
    return host;
  }

  /** Sends one file to some hosts; the name of the transfer. */
  send(sender: SimulatedHost, receivers: readonly SimulatedHost[]): string {
    const epochs = receivers.map(({ epoch }) => epoch);
    const targets = [...sender.engine.membership.members].filter(({ epoch }) => epochs.includes(epoch));
    assert.equal(targets.length, receivers.length, "the sender knows all receivers");
    sender.machine.edit((edits) => edits.put("file"));
    const push = { ...wholePush(), allOrNothing: false };
    return inboundName({ epoch: sender.epoch, transfer: sender.startTransfer(push, targets) });
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
  const hosts = [1, 2, 3, 4].map((index) => world.start(world.makeMachine(index), index));
  const [one, two, busy, deaf] = hosts as Four;
  world.runFor(5_000);
  // The clock of one member is ahead of all others.
  for (let count = 0; count < 3; count++) {
    const name = world.send(one, [busy]);
    world.runUntil(() => busy.machine.committed.has(name));
  }
  const earlier = world.send(one, [busy, deaf]);
  world.runFor(deafAfterMs);
  world.network.cutLink(one.machine.ip, deaf.machine.ip, true);
  world.runFor(500);
  busy.crash();
  busy.machine.comeBack("power loss");
  const back = world.start(busy.machine, 5);
  world.runUntil(() => [...two.engine.membership.members].some(({ epoch }) => epoch === back.epoch));
  const later = world.send(two, [back, deaf]);
  world.runUntil(() => back.machine.committed.has(later));
  world.network.cutLink(one.machine.ip, deaf.machine.ip, false);
  world.runUntil(() => one.engine.isIdle && two.engine.isIdle);
  const both = (host: SimulatedHost) =>
    [...host.machine.committed].filter((name) => [earlier, later].includes(name));
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
