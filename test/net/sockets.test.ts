import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { DatagramHandler } from "../../src/net/datagram-handler.ts";
import { bindError, type DatagramSocket } from "../../src/net/datagram-socket.ts";
import { FastSocket } from "../../src/net/fast-socket.ts";
import { PagePool } from "../../src/net/page-pool.ts";
import { PlainSocket } from "../../src/net/plain-socket.ts";
import { TrainReader } from "../../src/net/train-reader.ts";
import { DATAGRAM_BYTES } from "../../src/wire/limits.ts";
import { nextPort } from "../support/ports.ts";
import { eventually } from "../support/processes.ts";

/** One socket sends to another on the loopback network, in both forms. */

const PORT = nextPort();
const BUFFERS = { sendBufferBytes: 100_000, receiveBufferBytes: 150_000 };

class Recorder implements DatagramHandler {
  readonly messages: { readonly bytes: string; readonly from: string }[] = [];

  takeDatagrams(bytes: Buffer, start: number, end: number, ip: string, port: number): void {
    // A train comes in one piece where the kernel joins it.
    for (let at = start; at < end; at += DATAGRAM_BYTES)
      this.messages.push({
        bytes: bytes.toString("hex", at, Math.min(end, at + DATAGRAM_BYTES)),
        from: `${ip}:${port}`,
      });
  }

  takeTrain(): boolean {
    return false;
  }
}

async function open(context: TestContext, ip: string, isFast: boolean): Promise<DatagramSocket> {
  const options = { ip, port: PORT, isGroup: false, ...BUFFERS };
  const reader = TrainReader.create(new PagePool(128));
  assert.ok(reader !== undefined);
  const socket = isFast ? await FastSocket.open(options, reader) : await PlainSocket.open(options);
  assert.ok(socket !== undefined);
  context.after(() => socket.close());
  return socket;
}

/** Bytes that tell where they stand. */
function pattern(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 255));
}

const send = (socket: DatagramSocket, bytes: Uint8Array, ip: string, datagramBytes = DATAGRAM_BYTES) =>
  new Promise<number>((resolve) => socket.send(bytes, datagramBytes, ip, PORT, resolve));

for (const [name, isFast] of [
  ["with the calls that Node lacks", true],
  ["by node:dgram alone", false],
] as const) {
  test(`trains of all lengths arrive as datagrams, ${name}`, async (context) => {
    const sender = await open(context, "127.0.1.2", isFast);
    const receiver = await open(context, "127.0.1.3", isFast);
    assert.equal(sender.canSegment, isFast);
    const recorder = new Recorder();
    receiver.listen(recorder, (error) => assert.fail(error.message));
    const expected: string[] = [];
    for (const length of [
      1,
      DATAGRAM_BYTES - 1,
      DATAGRAM_BYTES,
      DATAGRAM_BYTES + 1,
      3 * DATAGRAM_BYTES,
      10_000,
    ]) {
      const train = pattern(length);
      assert.equal(await send(sender, train, "127.0.1.3"), 0, "no send has failed");
      for (let at = 0; at < length; at += DATAGRAM_BYTES)
        expected.push(train.toString("hex", at, Math.min(length, at + DATAGRAM_BYTES)));
    }
    await eventually("all has arrived", () => recorder.messages.length >= expected.length);
    assert.deepEqual(
      recorder.messages.map(({ bytes }) => bytes),
      expected,
    );
    assert.deepEqual(new Set(recorder.messages.map(({ from }) => from)), new Set([`127.0.1.2:${PORT}`]));
  });

  test(`sends that fail are counted, ${name}`, async (context) => {
    const sender = await open(context, "127.0.1.2", isFast);
    // From an address of the loopback network nothing leaves the host.
    const failures = await send(sender, pattern(2 * DATAGRAM_BYTES + 1), "203.0.113.1");
    assert.equal(failures, isFast && sender.canSegment ? 1 : 3);
    const one = await send(sender, pattern(5), "203.0.113.1");
    assert.equal(one, 1);
  });

  test(`a port that is in use, and an address of another host, are told, ${name}`, async (context) => {
    await open(context, "127.0.1.2", isFast);
    await assert.rejects(open(context, "127.0.1.2", isFast), /^UserError: port \d+ of 127.0.1.2 is in use/);
    await assert.rejects(
      open(context, "192.0.2.1", isFast),
      /^UserError: 192.0.2.1 is not an address of this host/,
    );
  });

  test(`buffers are as large as asked for, ${name}`, async (context) => {
    const socket = await open(context, "127.0.1.2", isFast);
    assert.equal(socket.receiveBufferBytes, 2 * BUFFERS.receiveBufferBytes, "in the kernel's own count");
  });
}

test("many trains that come at once are all read, though each look reads a bound number", async (context) => {
  const sender = await open(context, "127.0.1.2", true);
  const receiver = await open(context, "127.0.1.3", true);
  const recorder = new Recorder();
  receiver.listen(recorder, (error) => assert.fail(error.message));
  for (let count = 0; count < 100; count++) void send(sender, Buffer.from([count, 1, 2]), "127.0.1.3");
  await eventually("all has arrived", () => recorder.messages.length === 100);
  assert.deepEqual(
    recorder.messages.map(({ bytes }) => parseInt(bytes.slice(0, 2), 16)),
    Array.from({ length: 100 }, (_, index) => index),
  );
});

test("errors of binding have sentences", () => {
  const options = { ip: "10.0.0.1", port: 80, isGroup: false, ...BUFFERS };
  assert.equal(
    bindError(options, 13).message,
    "port 80 of 10.0.0.1 needs root: choose a port above 1023 with -p",
  );
  assert.equal(bindError(options, 5).message, "port 80 of 10.0.0.1 cannot be bound: error 5");
});
