import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import type { Host } from "../support/host.ts";
import { firstOutput } from "../support/processes.ts";

/** Packets of somebody without the key, many a second, until the process is ended. */

const SOURCES = path.join(import.meta.dirname, "../../src");

/**
 * - `unknown`: control messages of nodes that nobody has heard of, each another one;
 * - `member`: control messages in the name of a member that was heard;
 * - `fragment`: fragments in the name of a sender that was heard, for blocks that come next;
 * - `elsewhere`: as many packets to a port where nobody listens, so that the cost of sending them can be told apart.
 */
export type FloodKind = "unknown" | "member" | "fragment" | "elsewhere";

export interface Flood {
  readonly kind: FloodKind;
  readonly perSecond: number;
  /** The address that the packets come from. It need not be one of the stranger's. */
  readonly from: string;
}

const PROGRAM = `
const dgram = require("node:dgram"), crypto = require("node:crypto");
const { kind, perSecond, from, listenOn } = JSON.parse(process.argv[1]);
const sources = ${JSON.stringify(SOURCES)};
const GROUP = "224.0.0.108";
Promise.all(["udp-socket", "datagram-writer", "native"].map((name) => import(sources + "/sys/" + name + ".ts"))).then(([udp, { DatagramWriter }, { nativeFunction }]) => {
  // Made by node:dgram, which knows how to send multicast over an address; the sends themselves are direct calls.
  const socket = dgram.createSocket({ type: "udp4" });
  const descriptor = udp.makeUdpSocket({ receiveBufferBytes: 100_000, sendBufferBytes: 4_000_000, segmentBytes: undefined });
  const writer = DatagramWriter.create(descriptor);
  // IP_TRANSPARENT: root may send from an address that is another host's.
  const setsockopt = nativeFunction("int setsockopt(int, int, int, const void *, uint32_t)");
  setsockopt(descriptor, 0, 19, Buffer.from([1, 0, 0, 0]), 4);
  let heardMember, heardFragment, highest = 0, fullBytes = 0;
  const listener = dgram.createSocket({ type: "udp4", reusePort: true });
  listener.on("message", (bytes) => {
    if (bytes[2] === 1) heardMember ??= Buffer.from(bytes.subarray(0, 40));
    // Full fragments only: their length depends on the smallest MTU.
    if (bytes[2] !== 2 || bytes.length < 1252) return;
    const transfer = bytes.readUInt32LE(16);
    if (heardFragment === undefined || heardFragment.readUInt32LE(16) !== transfer) { highest = 0; }
    heardFragment = Buffer.from(bytes.subarray(0, 32));
    fullBytes = Math.max(fullBytes, bytes.length);
    highest = Math.max(highest, bytes.readUInt32LE(20));
  });
  listener.bind(5000, GROUP, () => {
    listener.addMembership(GROUP, listenOn);
    socket.bind({ fd: descriptor }, () => {
      udp.bindUdpSocket(descriptor, from, 5000, false);
      socket.setMulticastInterface(listenOn);
      begin();
    });
  });
  const packet = crypto.randomBytes(1440);
  packet.set([0x4d, 2, 1, 0], 0); packet.writeUInt16LE(1440, 4); packet.writeUInt16LE(0, 6);
  function next() {
    if (kind === "fragment") {
      if (heardFragment === undefined) return undefined;
      heardFragment.copy(packet);
      packet.writeUInt32LE(highest + Math.floor(Math.random() * 40), 20);
      packet[30] = Math.floor(Math.random() * 43);
      packet.writeUInt16LE((fullBytes - 32) * 44, 28);
      packet.writeUInt32LE(Math.floor(Math.random() * 2 ** 32), 100);
      return packet.subarray(0, fullBytes);
    } else if (kind === "member") {
      if (heardMember === undefined) return undefined;
      heardMember.copy(packet);
      packet.writeUInt32LE(Math.floor(Math.random() * 2 ** 32), 32);
    } else {
      packet.writeUInt32LE(Math.floor(Math.random() * 2 ** 32), 8);
      packet.writeUInt32LE(Math.floor(Math.random() * 2 ** 32), 20);
    }
    return packet;
  }
  function begin() {
    const beginMs = performance.now(); let sent = 0;
    console.log("floods");
    setInterval(() => {
      const due = (performance.now() - beginMs) / 1000 * perSecond;
      for (; sent < due; sent++) { const one = next(); if (one) writer.send(one, GROUP, kind === "elsewhere" ? 5001 : 5000); }
    }, 1);
  }
});`;

/** Begins to send; end it by its kill(). */
export async function flood(stranger: Host, { kind, perSecond, from }: Flood): Promise<ChildProcess> {
  const given = JSON.stringify({ kind, perSecond, from, listenOn: stranger.ip });
  const [program = "", ...args] = stranger.command(process.execPath, ["-e", PROGRAM, given]);
  const flooder = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  await firstOutput(flooder);
  return flooder;
}
