import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pino } from "pino";
import { InterfaceWatch } from "../../src/daemon/service/interface-watch.ts";
import type { ChosenInterface } from "../../src/net/interfaces.ts";
import { type Host, pretend } from "../net/made-up-host.ts";
import { MemoryNetwork } from "../net/memory-transport.ts";

/** The watch over a transport in memory, on a host that is made up, with a clock of the test. */

/** Lets the look that a timer has begun come to its end. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

class Rig {
  readonly transport = new MemoryNetwork().open("10.0.0.1");
  readonly watch: InterfaceWatch;
  readonly lines: string[] = [];
  hasMembers = true;
  isIdle = true;
  private leave: () => void;
  private readonly context: TestContext;

  constructor(context: TestContext, host: Host, wanted: string | undefined, chosen: ChosenInterface) {
    context.mock.timers.enable({ apis: ["setInterval"] });
    this.context = context;
    this.leave = pretend(host);
    context.after(() => this.leave());
    const log = pino({}, { write: (line: string) => void this.lines.push(textOf(line)) });
    this.watch = new InterfaceWatch(wanted, chosen, this.transport, log, {
      hasMembers: () => this.hasMembers,
      isIdle: () => this.isIdle,
      onMoved: () => this.lines.push("moved"),
      onLength: (datagramBytes) => this.lines.push(`length ${datagramBytes}`),
      onLost: () => this.lines.push("lost"),
    });
    this.watch.start();
  }

  /** The host is another one from now on. */
  become(host: Host): void {
    this.leave();
    this.leave = pretend(host);
  }

  /** Lets a look pass; what was said since the last call, and what the transport was asked. */
  async look(): Promise<string[]> {
    this.context.mock.timers.tick(2_000);
    await turn();
    return [...this.transport.calls.splice(0), ...this.lines.splice(0)];
  }
}

function textOf(line: string): string {
  const { msg } = JSON.parse(line) as { msg: string };
  return msg;
}

const ETH0 = { eth0: ["10.0.0.5"] };
const STORAGE = { san0: ["172.16.0.5"] };
const DEFAULT_OVER_ETH0 = [["eth0", "00000000", 100, "00000000"]] as const;
const ON_ETH0 = { name: "eth0", ip: "10.0.0.5" };
const ON_STORAGE = { name: "san0", ip: "172.16.0.5" };
const DOWN =
  "the interface is away: the interface eth0 is down or has no IPv4 address: bring it up, or choose another with -i";

test("a new address makes the transport join again, once, and a stop ends the looks", async (context) => {
  const rig = new Rig(context, { addresses: ETH0 }, "eth0", { name: "eth0", ip: "10.0.0.4" });
  assert.equal(rig.watch.state.chosen.ip, "10.0.0.4");
  assert.deepEqual(await rig.look(), [
    "rejoin 10.0.0.5",
    "joined the group again, on eth0 (10.0.0.5)",
    "moved",
  ]);
  assert.deepEqual(await rig.look(), []);
  assert.deepEqual(rig.watch.state, { chosen: ON_ETH0, away: undefined });
  await rig.watch.stop();
  rig.become({ addresses: { eth0: ["10.0.0.6"] } });
  assert.deepEqual(await rig.look(), []);
});

test("an interface that was made again, or lost the group, is joined again", async (context) => {
  const rig = new Rig(context, { addresses: ETH0 }, "eth0", ON_ETH0);
  assert.deepEqual(await rig.look(), []);
  rig.transport.isJoined = false;
  const [call, line, ...more] = await rig.look();
  assert.equal(call, "rejoin 10.0.0.5");
  assert.match(line ?? "", /^joined the group again, on eth0 \(10.0.0.5\): the interface was made again/);
  assert.deepEqual(more, ["moved"]);
});

test("packets of another length are told, but not of an interface that is gone", async (context) => {
  const rig = new Rig(context, { addresses: ETH0 }, "eth0", ON_ETH0);
  assert.equal(rig.watch.datagramBytes, 1440);
  rig.transport.datagramBytes = 1372;
  assert.deepEqual(await rig.look(), [
    "the interface eth0 takes datagrams of up to 1372 bytes now",
    "length 1372",
  ]);
  assert.deepEqual([await rig.look(), rig.watch.datagramBytes], [[], 1372]);
  rig.become({ addresses: {}, devices: ["eth0"] });
  rig.transport.datagramBytes = 1440;
  assert.deepEqual(await rig.look(), [DOWN]);
  rig.become({ addresses: ETH0 });
  assert.deepEqual((await rig.look()).slice(-2), ["length 1440", "moved"]);
});

test("an interface that is gone is told once, and its members are lost at the second look", async (context) => {
  const rig = new Rig(context, { addresses: ETH0 }, "eth0", ON_ETH0);
  rig.become({ addresses: {}, devices: ["eth0"] });
  assert.deepEqual(await rig.look(), [DOWN]);
  assert.match(rig.watch.state.away ?? "", /eth0 is down/);
  assert.deepEqual(await rig.look(), ["lost"]);
  assert.deepEqual(await rig.look(), []);
  rig.become({ addresses: {} });
  assert.match((await rig.look()).join(), /^the interface is away: there is no interface .* eth0/);
  rig.become({ addresses: ETH0 });
  const back = ["rejoin 10.0.0.5", "joined the group again, on eth0 (10.0.0.5)", "moved"];
  assert.deepEqual(await rig.look(), back);
  assert.equal(rig.watch.state.away, undefined);
  rig.become({ addresses: {}, devices: ["eth0"] });
  assert.deepEqual(await rig.look(), [DOWN]);
  rig.become({ addresses: ETH0 });
  assert.deepEqual(await rig.look(), back, "a second without the interface loses nobody");
});

test("a guess gives way to the route to the group, but not under a transfer", async (context) => {
  const rig = new Rig(context, { addresses: STORAGE }, undefined, ON_STORAGE);
  assert.deepEqual(await rig.look(), []);
  rig.become({ addresses: { ...STORAGE, ...ETH0 }, routes: DEFAULT_OVER_ETH0 });
  rig.isIdle = false;
  assert.deepEqual(await rig.look(), []);
  rig.isIdle = true;
  assert.deepEqual(await rig.look(), [
    "rejoin 10.0.0.5",
    "joined the group again, on eth0 (10.0.0.5), instead of san0",
    "moved",
  ]);
  assert.deepEqual(rig.watch.state.chosen, ON_ETH0);
});

test("an interface with a route is left for a better one only while nobody answers", async (context) => {
  const both = { ...STORAGE, ...ETH0 };
  const rig = new Rig(context, { addresses: both, routes: DEFAULT_OVER_ETH0 }, undefined, ON_ETH0);
  rig.become({ addresses: both, routes: [...DEFAULT_OVER_ETH0, ["san0", "000000E0", 0, "000000F0"]] });
  assert.deepEqual(await rig.look(), []);
  rig.hasMembers = false;
  assert.equal((await rig.look())[0], "rejoin 172.16.0.5");
});

test("an interface of the settings is not left", async (context) => {
  const both = { ...STORAGE, ...ETH0 };
  const rig = new Rig(context, { addresses: STORAGE }, "172.16.0.0/24", ON_STORAGE);
  rig.hasMembers = false;
  rig.become({ addresses: both, routes: DEFAULT_OVER_ETH0 });
  assert.deepEqual(await rig.look(), []);
});

test("without its interface the node goes to no guess, but where the kernel routes the group", async (context) => {
  const rig = new Rig(context, { addresses: ETH0, routes: DEFAULT_OVER_ETH0 }, undefined, ON_ETH0);
  rig.become({ addresses: STORAGE, devices: ["eth0"] });
  assert.deepEqual(await rig.look(), [DOWN]);
  // The address moves to a bridge that eth0 is a port of now.
  rig.become({ addresses: { br0: ["10.0.0.5"] }, routes: [["br0", "00000000", 0, "00000000"]] });
  assert.equal((await rig.look())[1], "joined the group again, on br0 (10.0.0.5), instead of eth0");
});

test("a stop waits for a look that is under way, and no look begins after it", async (context) => {
  const rig = new Rig(context, { addresses: ETH0 }, "eth0", { name: "eth0", ip: "10.0.0.4" });
  let finishJoin = () => undefined as void;
  let joins = 0;
  rig.transport.rejoin = () => {
    joins++;
    return new Promise((resolve) => (finishJoin = resolve));
  };
  await rig.look();
  let isStopped = false;
  const stopping = rig.watch.stop().then(() => (isStopped = true));
  await turn();
  assert.equal(isStopped, false);
  finishJoin();
  await stopping;
  await rig.look();
  await rig.look();
  assert.equal(joins, 1);
});
