import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { InterfaceWatch } from "../../src/daemon/service/interface-watch.ts";
import { MemoryNetwork } from "../net/memory-transport.ts";

/** The watch over a transport in memory, with a clock of the test. */

/** Lets the look that a timer has begun come to its end. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a new address makes the transport join again, once, and a stop ends the looks", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const transport = new MemoryNetwork().open("10.0.0.1");
  let moves = 0;
  const log = pino({ level: "silent" });
  // All of 127.0.0.0/8 is on the loopback interface: the wanted address is there, the former one was another.
  const former = { name: "lo", ip: "127.0.0.8" };
  const watch = new InterfaceWatch("127.0.0.9", former, transport, log, () => moves++);
  assert.equal(watch.present.ip, "127.0.0.8");
  watch.start();
  for (let look = 0; look < 3; look++) {
    context.mock.timers.tick(2_000);
    await turn();
  }
  assert.deepEqual(transport.calls, ["rejoin 127.0.0.9"]);
  assert.deepEqual([watch.present.ip, moves], ["127.0.0.9", 1]);
  await watch.stop();
});

test("a stop waits for a look that is under way, and no look begins after it", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const transport = new MemoryNetwork().open("10.0.0.1");
  let finishJoin = () => undefined as void;
  let joins = 0;
  transport.rejoin = () => {
    joins++;
    return new Promise((resolve) => (finishJoin = resolve));
  };
  const log = pino({ level: "silent" });
  const watch = new InterfaceWatch(
    "127.0.0.9",
    { name: "lo", ip: "127.0.0.8" },
    transport,
    log,
    () => undefined,
  );
  watch.start();
  context.mock.timers.tick(2_000);
  await turn();
  let isStopped = false;
  const stopping = watch.stop().then(() => (isStopped = true));
  await turn();
  assert.equal(isStopped, false);
  finishJoin();
  await stopping;
  context.mock.timers.tick(4_000);
  await turn();
  assert.equal(joins, 1);
});
