import assert from "node:assert/strict";
import os from "node:os";
import { test } from "node:test";
import type { DatagramHandler } from "../../src/net/datagram-handler.ts";
import { FastSocket } from "../../src/net/fast-socket.ts";
import type { SendOutcome } from "../../src/sys/datagram-writer.ts";
import { DATAGRAM_BYTES } from "../../src/wire/limits.ts";

/** What a fast socket does when the kernel does not take a train at once, or cannot cut it. */

const { EINVAL, EMSGSIZE, EPERM } = os.constants.errno;
const TRAIN = Buffer.alloc(DATAGRAM_BYTES + 1);

/** A value of a call as text. */
function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A fast socket whose kernel a test plays. */
class Rig {
  readonly calls: string[] = [];
  readonly finished: number[] = [];
  /** What the kernel says to the next trains. */
  readonly outcomes: SendOutcome[] = [];
  /** What node:dgram says when a train that waits has been taken. */
  readonly waiting: ((error: Error | null) => void)[] = [];
  receive: DatagramHandler["takeDatagrams"] = () => undefined;
  readonly socket: FastSocket;

  constructor() {
    const note =
      (name: string) =>
      (...values: unknown[]) =>
        void this.calls.push([name, ...values.map(shown)].join(" "));
    const plain = {
      listen: (handler: DatagramHandler) => (this.receive = (...first) => handler.takeDatagrams(...first)),
      send: (
        train: Uint8Array,
        datagramBytes: number,
        _ip: string,
        _port: number,
        done: (failures: number) => void,
      ) => {
        this.calls.push(`cut ${train.length} into ${datagramBytes}`);
        done(0);
      },
      sendWhole: (train: Uint8Array, _ip: string, _port: number, done: (error: Error | null) => void) => {
        this.calls.push(`wait ${train.length}`);
        this.waiting.push(done);
      },
      ...{ join: note("join"), leave: note("leave"), sendMulticastOver: note("over"), close: note("close") },
    };
    const writer = {
      send: (train: Uint8Array) => {
        this.calls.push(`write ${train.length}`);
        return this.outcomes.shift() ?? "sent";
      },
      cutInto: (segmentBytes: number) => {
        this.calls.push(`option ${segmentBytes}`);
        return true;
      },
    };
    const reader = { read: (descriptor: number) => this.calls.push(`read ${descriptor}`) };
    const Make = FastSocket as unknown as new (...parts: unknown[]) => FastSocket;
    this.socket = new Make(plain, 7, reader, writer);
  }

  send(train: Uint8Array = TRAIN, datagramBytes = DATAGRAM_BYTES): void {
    this.socket.send(train, datagramBytes, "10.0.0.1", 5000, (failures) => this.finished.push(failures));
  }

  takeCalls(): string[] {
    return this.calls.splice(0);
  }
}

const failing = (errno: number) => Object.assign(new Error("no"), { errno: -errno });

test("trains that the kernel takes are done at once", () => {
  const rig = new Rig();
  rig.send();
  assert.deepEqual([rig.takeCalls(), rig.finished], [["write 1441"], [0]]);
});

test("while one train waits, those that follow wait behind it, and after that none does", () => {
  const rig = new Rig();
  rig.outcomes.push("busy");
  rig.send(Buffer.alloc(10));
  rig.send(Buffer.alloc(20));
  assert.deepEqual(rig.takeCalls(), ["write 10", "wait 10", "wait 20"]);
  assert.deepEqual(rig.finished, []);
  rig.waiting.shift()?.(null);
  rig.send(Buffer.alloc(30));
  assert.deepEqual([rig.takeCalls(), rig.finished], [["wait 30"], [0]]);
  for (const done of rig.waiting.splice(0)) done(null);
  rig.send(Buffer.alloc(40));
  assert.deepEqual([rig.takeCalls(), rig.finished], [["write 40"], [0, 0, 0, 0]]);
});

test("a device that cannot cut trains is noticed at the first one, and trains are cut here from then on", () => {
  for (const isWaiting of [false, true]) {
    const rig = new Rig();
    rig.outcomes.push(isWaiting ? "busy" : { errno: EMSGSIZE });
    rig.send();
    rig.waiting.shift()?.(failing(EMSGSIZE));
    assert.deepEqual(rig.finished, [0]);
    // The kernel refuses even single datagrams on a socket whose option is longer than they can be.
    assert.deepEqual(rig.takeCalls().slice(-2), ["option 0", "cut 1441 into 1440"]);
    assert.equal(rig.socket.canSegment, false);
    rig.send(Buffer.alloc(9000));
    assert.deepEqual(rig.takeCalls(), ["cut 9000 into 1440"]);
    rig.send(Buffer.alloc(100));
    assert.deepEqual(rig.takeCalls(), ["write 100"]);
  }
});

test("a single datagram is tried again without the option that the kernel refuses, once", () => {
  const rig = new Rig();
  rig.outcomes.push({ errno: EINVAL });
  rig.send(Buffer.alloc(100));
  assert.deepEqual([rig.takeCalls(), rig.finished], [["write 100", "option 0", "write 100"], [0]]);
  rig.outcomes.push({ errno: EINVAL });
  rig.send(Buffer.alloc(100));
  assert.deepEqual([rig.takeCalls(), rig.finished], [["write 100"], [0, 1]]);
});

test("shorter datagrams are cut by the kernel although longer ones cannot be", () => {
  const rig = new Rig();
  rig.outcomes.push({ errno: EINVAL });
  rig.send(Buffer.alloc(3000));
  assert.deepEqual(rig.takeCalls(), ["write 3000", "option 0", "cut 3000 into 1440"]);
  rig.send(Buffer.alloc(3000), 1372);
  rig.send(Buffer.alloc(1300));
  // One that the option would cut, although it is to go out whole.
  rig.send(Buffer.alloc(1400));
  assert.deepEqual(rig.takeCalls(), [
    ...["option 1372", "write 3000", "write 1300"],
    ...["option 0", "write 1400"],
  ]);
});

test("the option does not change under sends that wait: those that need another one wait for them", () => {
  const rig = new Rig();
  rig.outcomes.push("busy");
  rig.send(Buffer.alloc(3000));
  rig.send(Buffer.alloc(3001), 1372);
  rig.send(Buffer.alloc(3002));
  assert.deepEqual(rig.takeCalls(), ["write 3000", "wait 3000"]);
  rig.waiting.shift()?.(null);
  assert.deepEqual(rig.takeCalls(), ["option 1372", "write 3001", "option 1440", "write 3002"]);
  assert.deepEqual(rig.finished, [0, 0, 0]);
});

test("any other failure is one of the moment", () => {
  for (const [train, errno] of [
    [TRAIN, EPERM],
    [Buffer.alloc(5), EPERM],
  ] as const) {
    const rig = new Rig();
    rig.outcomes.push({ errno });
    rig.send(train);
    assert.deepEqual([rig.finished, rig.socket.canSegment], [[1], true]);
    assert.deepEqual(rig.takeCalls(), [`write ${train.length}`]);
  }
  const rig = new Rig();
  rig.outcomes.push("busy", "busy");
  rig.send();
  rig.waiting.shift()?.(failing(EPERM));
  rig.send();
  rig.waiting.shift()?.(new Error("without a number"));
  assert.deepEqual([rig.finished, rig.socket.canSegment], [[1, 1], true]);
});

test("after the first message of a bunch the others are read, until the socket is closed", () => {
  const rig = new Rig();
  const taken: string[] = [];
  const handler: DatagramHandler = {
    takeDatagrams: (bytes, start, end, ip, port) =>
      void taken.push(`${bytes.toString("latin1", start, end)} of ${ip}:${port}`),
    takeTrain: () => false,
  };
  rig.socket.listen(handler, () => undefined);
  rig.receive(Buffer.from("xaby"), 1, 3, "10.0.0.2", 1);
  assert.deepEqual([taken, rig.takeCalls()], [["ab of 10.0.0.2:1"], ["read 7"]]);
  rig.socket.close();
  assert.deepEqual(rig.takeCalls(), ["close"]);
  rig.receive(Buffer.from("c"), 0, 1, "10.0.0.2", 1);
  assert.deepEqual(rig.takeCalls(), []);
});

test("groups are a matter of the plain socket", () => {
  const rig = new Rig();
  rig.socket.join("224.0.0.1", { ip: "10.0.0.1", index: 7 });
  rig.socket.leave("224.0.0.1", { ip: "10.0.0.2", index: undefined });
  rig.socket.sendMulticastOver("10.0.0.3");
  assert.deepEqual(rig.takeCalls(), [
    'join 224.0.0.1 {"ip":"10.0.0.1","index":7}',
    'leave 224.0.0.1 {"ip":"10.0.0.2"}',
    "over 10.0.0.3",
  ]);
});
