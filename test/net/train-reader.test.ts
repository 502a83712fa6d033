import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { bindDescriptor, makeDescriptor } from "../../src/net/datagram-socket.ts";
import { PagePool } from "../../src/net/page-pool.ts";
import { PlainSocket } from "../../src/net/plain-socket.ts";
import { TrainReader } from "../../src/net/train-reader.ts";
import { BATCH } from "../../src/sys/datagram-reader.ts";
import { nextPort } from "../support/ports.ts";

/** How much is read of a socket before the rest of the event loop has its turn. */

const PORT = nextPort();
const BUFFERS = { sendBufferBytes: 200_000, receiveBufferBytes: 400_000 };

test("eight batches are read in one turn, and what is left in the next", async (context) => {
  const socket = { ip: "127.0.3.3", port: PORT, isGroup: false, ...BUFFERS };
  const descriptor = makeDescriptor(socket, true);
  const reader = TrainReader.create(new PagePool(128));
  assert.ok(descriptor !== undefined && reader !== undefined);
  context.after(() => fs.closeSync(descriptor));
  bindDescriptor(socket, descriptor);
  const sender = await PlainSocket.open({ ip: "127.0.3.2", port: PORT, isGroup: false, ...BUFFERS });
  context.after(() => sender.close());
  const count = 8 * BATCH + 20;
  for (let index = 0; index < count; index++)
    await new Promise((resolve) =>
      sender.send(Buffer.from([index & 255, index >> 8]), 1440, "127.0.3.3", PORT, resolve),
    );
  const heard: number[] = [];
  const handler = {
    takeDatagrams: (bytes: Buffer, start: number) => void heard.push(bytes.readUInt16LE(start)),
    takeTrain: () => false,
  };
  assert.equal(reader.read(descriptor, handler), 8 * BATCH);
  assert.equal(heard.length, 8 * BATCH);
  assert.equal(reader.read(descriptor, handler), 20);
  assert.equal(reader.read(descriptor, handler), 0);
  assert.deepEqual(
    heard,
    Array.from({ length: count }, (_, index) => index),
  );
});
