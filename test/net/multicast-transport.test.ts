import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import type { DatagramHandler } from "../../src/net/datagram-handler.ts";
import { PAGE_BYTES, PagePool } from "../../src/net/page-pool.ts";
import { MulticastTransport } from "../../src/net/transports/multicast-transport.ts";
import type { ScatteredMessage } from "../../src/sys/datagram-reader.ts";
import { FRAGMENT_HEADER_BYTES, FRAGMENT_PAYLOAD_BYTES } from "../../src/wire/datagram.ts";
import { DATAGRAM_BYTES } from "../../src/wire/limits.ts";
import { nextPort } from "../support/ports.ts";
import { eventually, sleep } from "../support/processes.ts";
import { encodeDatagram } from "../wire/datagrams.ts";

/** Real sockets on the loopback network, in both forms. */

const GROUP = "224.0.0.109";
const PORT = nextPort();
const EPOCH = "0011223344556677";

/** Keeps all that arrives, in one piece for each datagram; trains only where they are wanted. */
class Recorder implements DatagramHandler {
  readonly datagrams: string[] = [];
  trains = 0;
  private readonly pages: PagePool;

  constructor(pages: PagePool) {
    this.pages = pages;
  }

  takeDatagrams(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; at += bytes.readUInt16LE(at + 4)) {
      this.datagrams.push(bytes.toString("hex", at, at + bytes.readUInt16LE(at + 4)));
    }
  }

  takeTrain({ headers, headersStart, page, sizeBytes }: ScatteredMessage): boolean {
    // What is no fragment is asked for as it is.
    if (headers[headersStart + 2] !== 2) return false;
    this.trains++;
    for (let index = 0, rest = sizeBytes; rest > 0; index++) {
      const header = headersStart + index * FRAGMENT_HEADER_BYTES;
      const length = headers.readUInt16LE(header + 4);
      const payload = page * PAGE_BYTES + index * FRAGMENT_PAYLOAD_BYTES;
      this.datagrams.push(
        headers.toString("hex", header, header + FRAGMENT_HEADER_BYTES) +
          this.pages.bytes.toString("hex", payload, payload + length - FRAGMENT_HEADER_BYTES),
      );
      rest -= length;
    }
    return true;
  }
}

async function open(context: TestContext, ip: string, offload: boolean) {
  const pages = new PagePool(128);
  const buffers = { sendBufferBytes: 200_000, receiveBufferBytes: 200_000 };
  const transport = await MulticastTransport.open({
    group: GROUP,
    port: PORT,
    interfaceIp: ip,
    ...buffers,
    offload,
    pages,
  });
  context.after(() => transport.close());
  const recorder = new Recorder(pages);
  transport.listen(recorder, (error) => assert.fail(error.message));
  return { transport, recorder };
}

function fragments(count: number): Buffer[] {
  const sealedBytes = (count - 1) * FRAGMENT_PAYLOAD_BYTES + 100;
  return Array.from({ length: count }, (_, index) => {
    const payload = randomBytes(index === count - 1 ? 100 : FRAGMENT_PAYLOAD_BYTES);
    const full = FRAGMENT_PAYLOAD_BYTES;
    const fields = { full, transfer: 1, block: 0, stamp: index, sealedBytes, index, blockKind: 2 as const };
    return Buffer.from(encodeDatagram({ kind: "fragment", epoch: EPOCH, ...fields, payload }));
  });
}

let counter = 0n;

/** A control message that no other one is the same as. */
function control(): Buffer {
  const header = { nodeId: "ab".repeat(16), epoch: EPOCH, counter: ++counter };
  return Buffer.from(encodeDatagram({ kind: "control", ...header, plaintextBytes: 300 }));
}

for (const [name, offload] of [
  ["with the calls that Node lacks", true],
  ["by node:dgram alone", false],
] as const) {
  test(`what is multicast arrives as it was sent, ${name}`, async (context) => {
    const sender = await open(context, "127.0.0.2", offload);
    const receiver = await open(context, "127.0.0.3", offload);
    assert.equal(sender.transport.isOffloaded, offload, "no form takes the place of the other unnoticed");
    receiver.transport.expectTrains(true);
    const sent = [...fragments(44), control(), ...fragments(3), control()];
    const train = (from: number, to: number) => Buffer.concat(sent.slice(from, to));
    for (const piece of [train(0, 44), train(44, 45), train(45, 48), train(48, 49)]) {
      await new Promise<void>((resolve) => sender.transport.sendTrainToGroup(piece, DATAGRAM_BYTES, resolve));
    }
    await eventually("all has arrived", () => receiver.recorder.datagrams.length >= sent.length);
    assert.deepEqual(
      receiver.recorder.datagrams.toSorted(),
      sent.map((one) => one.toString("hex")).toSorted(),
    );
    assert.equal(receiver.recorder.trains > 0, offload);
  });

  test(`what is sent to one node arrives there alone, ${name}`, async (context) => {
    const sender = await open(context, "127.0.0.2", offload);
    const [one, other] = [
      await open(context, "127.0.0.3", offload),
      await open(context, "127.0.0.4", offload),
    ];
    const message = control();
    sender.transport.sendToNode(message, "127.0.0.3", PORT);
    await eventually("it has arrived", () => one.recorder.datagrams.length > 0);
    assert.deepEqual(one.recorder.datagrams, [message.toString("hex")]);
    assert.deepEqual(other.recorder.datagrams, []);
  });
}

test("a node does not hear what it has multicast itself", async (context) => {
  const node = await open(context, "127.0.0.2", true);
  const other = await open(context, "127.0.0.3", true);
  for (const { transport } of [node, other]) transport.expectTrains(true);
  node.transport.sendToGroup(control());
  node.transport.sendTrainToGroup(Buffer.concat(fragments(5)), DATAGRAM_BYTES, () => undefined);
  await eventually("the other one hears it", () => other.recorder.datagrams.length === 6);
  assert.deepEqual(node.recorder.datagrams, []);
});

test("trains that are not looked for wait until they are asked for", async (context) => {
  const sender = await open(context, "127.0.0.2", true);
  const receiver = await open(context, "127.0.0.3", true);
  sender.transport.sendTrainToGroup(Buffer.concat(fragments(4)), DATAGRAM_BYTES, () => undefined);
  await sleep(20);
  assert.equal(receiver.recorder.datagrams.length, 0, "nobody is woken by fragments");
  sender.transport.sendToGroup(control());
  await eventually("the rest has arrived", () => receiver.recorder.datagrams.length === 1);
  receiver.transport.readTrains();
  const types = receiver.recorder.datagrams.map((datagram) => datagram.slice(4, 6));
  assert.deepEqual(types, ["01", "02", "02", "02", "02"]);
});
