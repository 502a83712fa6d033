import { below, randomBytes, type Random } from "../../src/base/random.ts";
import { type Address } from "../../src/engine/types.ts";
import { ControlSealer, FleetKey } from "../../src/net/sealing.ts";
import { encodeMessage, type ControlMessage } from "../../src/wire/message.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { encodeDatagram } from "../wire/datagrams.ts";
import { mutate } from "../wire/mutate.ts";
import { naiveDatagram, naiveLength } from "../wire/naive-decoder.ts";
import { pick } from "../wire/random-values.ts";
import type { MemoryFleet, MemoryNode } from "./memory-fleet.ts";

/** What somebody without the key, who hears everything, can throw at a node. */

const STRANGER: Address = { ip: "10.9.9.9", port: 5000 };

/** How many datagrams of a piece a node has to count, and as what. */
export interface Expected {
  malformed: number;
  foreign: number;
  replayed: number;
  otherVersion: number;
}

export interface Hostile {
  readonly bytes: Buffer;
  readonly source: Address;
}

export class Noise {
  private readonly random: Random;
  private readonly fleet: MemoryFleet;
  private readonly forged: Buffer[];
  private readonly nonsense: Uint8Array;
  /** What each node has seen, as text, to know a replay when it is one. */
  private readonly seen = new Map<MemoryNode, { count: number; texts: Set<string> }>();

  constructor(fleet: MemoryFleet, random: Random) {
    this.fleet = fleet;
    this.random = random;
    this.forged = forgedMessages(fleet);
    this.nonsense = randomBytes(random, 3000);
  }

  /** A datagram, or several in one piece, that must not change anything at a node. */
  against(node: MemoryNode): Hostile {
    const { random } = this;
    const source = pick(random, [STRANGER, ...this.fleet.nodes.map((one) => one.address)]);
    switch (below(random, 8)) {
      case 0:
        return { bytes: Buffer.from(randomBytes(random, below(random, 100))), source };
      case 1:
        return { bytes: this.withHeader(), source };
      case 2:
        return { bytes: pick(random, this.forged), source };
      case 3:
        return { bytes: Buffer.from(mutate(random, pick(random, this.forged))), source };
      case 4:
        return { bytes: this.fragment(node), source: STRANGER };
      case 5:
        return { bytes: this.heard(node), source: STRANGER };
      case 6:
        return { bytes: Buffer.from(mutate(random, this.heard(node))), source: STRANGER };
      default:
        return {
          bytes: Buffer.concat([this.heard(node), pick(random, this.forged), this.withHeader()]),
          source: STRANGER,
        };
    }
  }

  /** Fragments of transfers under way, from what looks like their sender: only the seal of the block tells. */
  spoofedFragments(node: MemoryNode): Hostile {
    const sender = pick(
      this.random,
      this.fleet.nodes.filter((one) => one !== node),
    );
    const heard = pick(this.random, node.seen);
    const isFragment = heard[2] === 2;
    const bytes =
      isFragment && below(this.random, 2) === 0
        ? Buffer.from(mutate(this.random, heard))
        : this.fragment(sender);
    return { bytes, source: sender.address };
  }

  /** What a node has to count for a piece, worked out by the naive decoder. */
  expected(node: MemoryNode, bytes: Buffer): Expected {
    const expected = { malformed: 0, foreign: 0, replayed: 0, otherVersion: 0 };
    for (let start = 0; start < bytes.length;) {
      const length = naiveLength(bytes, start);
      if (length === 0) {
        // The version is the second byte; apart from it, the header is the same in all versions.
        const asOfToday = Buffer.from(bytes);
        asOfToday[start + 1] = 2;
        const otherLength = naiveLength(asOfToday, start);
        if (otherLength === 0) {
          expected.malformed++;
          break;
        }
        expected.otherVersion++;
        start += otherLength;
        continue;
      }
      const datagram = bytes.subarray(start, start + length);
      if (!isWhole(datagram)) expected.malformed++;
      else if (datagram[2] === 1) expected[this.hasSeen(node, datagram) ? "replayed" : "foreign"]++;
      start += length;
    }
    return expected;
  }

  /** Something that this node has received before: a message sent to somebody else would be news to it. */
  private heard(node: MemoryNode): Buffer {
    return pick(this.random, node.seen);
  }

  private withHeader(): Buffer {
    const bytes = Buffer.from(randomBytes(this.random, 16 + below(this.random, 80)));
    bytes.set([0x4d, 2, 1 + below(this.random, 2), 0]);
    bytes.writeUInt16LE(bytes.length, 4);
    bytes.writeUInt16LE(0, 6);
    return bytes;
  }

  /** A fragment with all fields right, and nonsense in it. */
  private fragment(node: MemoryNode): Buffer {
    const { random } = this;
    const sealedBytes = 17 + below(random, 1391);
    const numbers = {
      transfer: 1,
      block: below(random, 20),
      stamp: below(random, 2000),
      sealedBytes,
      index: 0,
    };
    const start = below(random, 1000);
    const payload = this.nonsense.subarray(start, start + sealedBytes);
    const blockKind = 1 + below(random, 2);
    const full = pick(random, [1408, 1372, 1220]);
    const fields = { kind: "fragment", epoch: node.epoch, full, ...numbers, blockKind, payload } as const;
    return Buffer.from(encodeDatagram(fields));
  }

  private hasSeen(node: MemoryNode, datagram: Buffer): boolean {
    const known = this.seen.get(node) ?? { count: 0, texts: new Set<string>() };
    this.seen.set(node, known);
    for (; known.count < node.seen.length; known.count++) {
      const one = node.seen[known.count]!;
      if (one[2] === 1) known.texts.add(one.toString("latin1"));
    }
    return known.texts.has(datagram.toString("latin1"));
  }
}

function isWhole(datagram: Buffer): boolean {
  try {
    naiveDatagram(datagram);
    return true;
  } catch {
    return false;
  }
}

/** Messages in the name of each node that would do harm if they were believed, under a key of the forger's own. */
function forgedMessages(fleet: MemoryFleet): Buffer[] {
  const targets = fleet.nodes.map((node) => node.epoch);
  const info = { hostName: "evil", version: "6.6.6", protocol: 3, receives: false, sends: false, labels: [] };
  const route = { to: targets[0]!, from: { ip: "10.0.0.1", port: 5000 } };
  const status = {
    transfer: 1,
    stamp: 5000,
    stagedBelow: 10,
    windowEnd: 5000,
    inFlight: 0,
    received: 5000,
    reason: "forged",
  };
  const lists = {
    missingRuns: [{ firstBlock: 0, blocks: 500 }],
    missingFragments: [],
    wants: [],
    findings: 0,
    worked: 0,
    admission: 1,
    ahead: 0,
    order: 0xffff_ffff,
  };
  const messages: ControlMessage[] = [
    { type: "exit", body: null },
    { type: "hello", body: { info } },
    { type: "alive", body: { info } },
    { type: "challenge", body: { nonce: "ab".repeat(16), ...route, isMissed: true, info } },
    { type: "response", body: { answer: "00".repeat(16), nonce: "cd".repeat(16), ...route, info } },
    { type: "old-challenge", body: { nonce: "ab".repeat(16), info: { ...info, protocol: 2 } } },
    {
      type: "old-response",
      body: { answer: "00".repeat(16), nonce: "cd".repeat(16), info: { ...info, protocol: 2 } },
    },
    { type: "offer", body: { transfer: 2, dryRun: false, allOrNothing: false, rank: 1, targets } },
    { type: "order", body: { transfer: 1, order: 0xffff_ffff, targets } },
    { type: "commit", body: { transfer: 1, order: 1, targets } },
    { type: "abort", body: { transfer: 1, targets: [], reason: "forged" } },
    ...targets.flatMap((sender) =>
      Object.values(MemberPhase).map(
        (phase) =>
          ({ type: "status", body: { sender, ...status, ...lists, phase } }) satisfies ControlMessage,
      ),
    ),
    {
      type: "progress",
      body: {
        transfer: 1,
        sentBlocks: 9,
        stamp: 9000,
        settledBelow: 9,
        final: true,
        poll: true,
        spreadMs: 60_000,
      },
    },
  ];
  const forgers = [new FleetKey(Buffer.alloc(32, 0xee)), new FleetKey(undefined)];
  return forgers.flatMap((key) =>
    fleet.nodes.flatMap((node) => {
      const sealer = new ControlSealer(key, node.nodeId, node.epoch);
      return messages.map((message) => sealer.seal(encodeMessage(message)));
    }),
  );
}
