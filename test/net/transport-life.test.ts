import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { DatagramHandler } from "../../src/net/datagram-handler.ts";
import { PagePool } from "../../src/net/page-pool.ts";
import { type MulticastOptions, MulticastTransport } from "../../src/net/transports/multicast-transport.ts";
import { DATAGRAM_BYTES } from "../../src/wire/limits.ts";
import { on } from "./made-up-host.ts";
import { nextPort } from "../support/ports.ts";
import { eventually, sleep } from "../support/processes.ts";

/** A transport from its opening to its end, with another address in between, on the loopback network. */

const GROUP = "224.0.0.111";
const PORT = nextPort();

/** The type of a datagram stands in its third byte: a control message, or a fragment. */
const CONTROL = Buffer.from([0, 0, 1, 0, 9, 9]);
const FRAGMENT = Buffer.from([0, 0, 2, 0, 7, 7]);

class Recorder implements DatagramHandler {
  readonly messages: string[] = [];

  takeDatagrams(bytes: Buffer, start: number, end: number, ip: string): void {
    this.messages.push(`${bytes[start + 2] === 2 ? "fragment" : "control"} of ${ip}`);
    assert.ok(end > start);
  }

  takeTrain(): boolean {
    return false;
  }
}

const optionsOf = (interfaceIp: string, offload: boolean): MulticastOptions => ({
  ...{ group: GROUP, port: PORT, interfaceIp, sendBufferBytes: 200_000, receiveBufferBytes: 200_000 },
  ...{ offload, pages: new PagePool(128) },
});

async function open(context: TestContext, interfaceIp: string, offload: boolean) {
  const transport = await MulticastTransport.open(optionsOf(interfaceIp, offload));
  context.after(() => transport.close());
  const recorder = new Recorder();
  transport.listen(recorder, (error) => assert.fail(error.message));
  return { transport, recorder };
}

for (const [name, offload] of [
  ["with the calls that Node lacks", true],
  ["by node:dgram alone", false],
] as const) {
  test(`a node that gets another address is reached there, and hears the group on, ${name}`, async (context) => {
    const { transport, recorder } = await open(context, "127.0.2.2", offload);
    const other = await open(context, "127.0.2.3", offload);
    assert.deepEqual(transport.group, { ip: GROUP, port: PORT });
    assert.equal(transport.receiveBufferBytes, 400_000);
    await transport.rejoin("127.0.2.4");
    other.transport.sendToNode(CONTROL, "127.0.2.4", PORT);
    await eventually("it is reached", () => recorder.messages.length === 1);
    other.transport.sendToGroup(CONTROL);
    await eventually("it hears the group", () => recorder.messages.length === 2);
    transport.sendToGroup(CONTROL);
    await eventually("it is heard", () => other.recorder.messages.includes("control of 127.0.2.4"));
    // The former address is free.
    const third = await open(context, "127.0.2.2", offload);
    await transport.rejoin("127.0.2.4");
    third.transport.sendToGroup(CONTROL);
    await eventually("it still hears the group", () => recorder.messages.includes("control of 127.0.2.2"));
    assert.deepEqual(
      recorder.messages.filter((message) => !message.endsWith("127.0.2.4")),
      ["control of 127.0.2.3", "control of 127.0.2.3", "control of 127.0.2.2"],
    );
  });

  test(`all that was sent is with the kernel when it has drained, ${name}`, async (context) => {
    const { transport } = await open(context, "127.0.2.2", offload);
    await transport.drain();
    let done = 0;
    const train = Buffer.alloc(3 * DATAGRAM_BYTES);
    for (let count = 0; count < 50; count++) transport.sendTrainToGroup(train, DATAGRAM_BYTES, () => done++);
    await transport.drain();
    assert.equal(done, 50);
    assert.equal(transport.sendErrors, 0);
  });

  test(`sends that fail are counted, and none goes out after the end, ${name}`, async (context) => {
    const { transport } = await open(context, "127.0.2.2", offload);
    transport.sendToNode(CONTROL, "203.0.113.1", PORT);
    await transport.drain();
    assert.equal(transport.sendErrors, 1);
    const other = await open(context, "127.0.2.3", offload);
    const closed = await MulticastTransport.open(optionsOf("127.0.2.5", offload));
    closed.close();
    closed.sendTrainToGroup(CONTROL, DATAGRAM_BYTES, () => assert.fail("it is closed"));
    closed.readTrains();
    await sleep(20);
    assert.deepEqual(other.recorder.messages, []);
  });

  test(`what cannot be opened leaves nothing open, ${name}`, async (context) => {
    const usual = optionsOf("127.0.2.2", offload);
    const opened = (parts: Partial<MulticastOptions>) => MulticastTransport.open({ ...usual, ...parts });
    await assert.rejects(opened({ group: "192.0.2.9" }), /192.0.2.9 is not an address of this host/);
    await assert.rejects(
      opened({ group: "127.0.2.9" }),
      /^UserError: the multicast group 127.0.2.9 cannot be joined on 127.0.2.2 \(EINVAL\): check that/,
    );
    // The address is not in use.
    await open(context, "127.0.2.2", offload);
    await assert.rejects(opened({}), /port \d+ of 127.0.2.2 is in use by another program/);
  });
}

test("fragments are looked for while they are expected, and wait otherwise", async (context) => {
  const { transport, recorder } = await open(context, "127.0.2.2", true);
  const { transport: other } = await open(context, "127.0.2.3", true);
  const send = () => other.sendTrainToGroup(FRAGMENT, DATAGRAM_BYTES, () => undefined);
  transport.expectTrains(true);
  transport.expectTrains(true);
  send();
  await eventually("it has been read", () => recorder.messages.length === 1);
  transport.expectTrains(false);
  send();
  await sleep(40);
  assert.equal(recorder.messages.length, 1, "nobody looks for it");
  transport.readTrains();
  assert.deepEqual(recorder.messages, ["fragment of 127.0.2.3", "fragment of 127.0.2.3"]);
});

test("a membership that the kernel has ended, or that is of a former interface, is noticed", async (context) => {
  const { transport } = await open(context, "127.0.2.2", true);
  assert.equal(transport.isJoined, true);
  const table = (index: number, ...groups: string[]) =>
    [
      "titles",
      `${index}\tlo        :     1      V3`,
      ...groups.map((one) => `\t\t\t\t${one}     1`),
      "",
    ].join("\n");
  const isJoined = (igmp: string) => on({ addresses: {}, igmp }, () => transport.isJoined);
  assert.equal(isJoined(table(1, "010000E0", "6F0000E0")), true);
  assert.equal(isJoined(table(1, "010000E0")), false, "the group is not there");
  assert.equal(isJoined(table(2, "6F0000E0")), false, "the interface is another one");
  assert.equal(isJoined(""), true, "the kernel does not tell");
});

test("a send that fails at once is not over at once, so that nothing repeats it without a pause", async (context) => {
  const { transport } = await open(context, "127.0.2.2", true);
  context.mock.timers.enable({ apis: ["setTimeout"] });
  transport.sendToNode(CONTROL, "203.0.113.1", PORT);
  let isDrained = false;
  const draining = transport.drain().then(() => (isDrained = true));
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  assert.deepEqual([transport.sendErrors, isDrained], [1, false]);
  context.mock.timers.tick(10);
  await draining;
});
