import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { DecodeError } from "../../src/base/bytes.ts";
import { hexOf } from "../../src/base/hex.ts";
import { below, randomBytes, type Random, SeededRandom } from "../../src/base/random.ts";
import { BlockKind, datagramLength, decodeFragment, FragmentHeader } from "../../src/wire/datagram.ts";
import { MANIFEST_ENTRIES, WANTS_PER_STATUS, UNPACKED_BYTES } from "../../src/wire/limits.ts";
import { decodeManifest } from "../../src/wire/manifest.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { MemberPhase, type Status } from "../../src/wire/status-message.ts";
import { decodeDatagram, randomDatagram } from "./datagrams.ts";
import { joined, mutate } from "./mutate.ts";
import { pick, randomData, randomManifest, randomMessage } from "./random-values.ts";
import { readSegments } from "../support/read-segments.ts";

/** The same for every run, unless SEED is set. */
const SEED = Number(process.env["SEED"] ?? 1);

/** A decoder with inputs that are close to valid ones. */
interface Target {
  readonly name: string;
  readonly inputs: number;
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly make: (random: Random) => Uint8Array;
  /** Valid first bytes, so that random bytes are not all rejected at once. */
  readonly firstBytes: readonly number[];
  /** The largest piece of memory that the decoder may allocate. */
  readonly mostBytes: number;
}

const TARGETS: readonly Target[] = [
  {
    name: "decodeMessage",
    inputs: 80_000,
    decode: decodeMessage,
    make: (random) => encodeMessage(randomMessage(random)),
    firstBytes: [1, 2, 3, 4, 5, 16, 17, 18, 19, 20],
    // The bitmap of a want of 4,096 entries.
    mostBytes: 512,
  },
  {
    name: "decodeControlHeader and decodeFragment",
    inputs: 60_000,
    decode: decodeAnyDatagram,
    make: randomDatagram,
    firstBytes: [0x4d],
    // The header that the tests write to compare lengths.
    mostBytes: 40,
  },
  {
    name: "decodeManifest",
    inputs: 40_000,
    decode: decodeManifest,
    make: (random) => randomManifest(random, 6),
    firstBytes: [BlockKind.manifest],
    mostBytes: 0,
  },
  {
    name: "segmentsOf",
    inputs: 20_000,
    decode: readSegments,
    make: (random) => randomData(random, 5),
    firstBytes: [BlockKind.data],
    // Made once, for all that is unpacked.
    mostBytes: UNPACKED_BYTES,
  },
];

/** Samples that are mutated; making new ones for each run would take longer than decoding. */
const SAMPLES = 200;

for (const target of TARGETS) {
  test(`${target.inputs} hostile inputs make ${target.name} throw nothing but DecodeError`, () => {
    const random = new SeededRandom(SEED);
    const samples = Array.from({ length: SAMPLES }, () => target.make(random));
    const inputs = new Array<Uint8Array>(1000).fill(new Uint8Array(0));
    let mostBytes = 0;
    for (let done = 0; done < target.inputs; done += inputs.length) {
      inputs.forEach((_, index) => (inputs[index] = hostileInput(random, target, samples)));
      mostBytes = Math.max(
        mostBytes,
        largestAllocation(() => inputs.forEach((input) => decode(target, input))),
      );
    }
    assert.ok(mostBytes <= target.mostBytes, `${mostBytes} bytes were allocated at once`);
  });
}

test("a message of a few hundred bytes cannot make much memory of itself", () => {
  // A want of all 4,096 entries takes seven bytes.
  const entries = new Bitmap(MANIFEST_ENTRIES, new Uint8Array(MANIFEST_ENTRIES / 8).fill(0xff));
  const status: Status = {
    sender: "0123456789abcdef",
    transfer: 1,
    phase: MemberPhase.receiving,
    stamp: 0,
    stagedBelow: 0,
    windowEnd: 0,
    inFlight: 0,
    received: 0,
    missingRuns: [],
    missingFragments: [],
    wants: Array.from({ length: WANTS_PER_STATUS }, (_, block) => ({
      block,
      entries,
      differences: undefined,
    })),
    reason: "",
    findings: 1,
    worked: 2,
    order: 3,
    admission: 6,
    ahead: 7,
  };
  const bytes = encodeMessage({ type: "status", body: status });
  const message = decodeMessage(bytes);
  assert.ok(message.type === "status");
  const memory = message.body.wants.reduce((sum, one) => sum + one.entries.bytes.length, 0);
  assert.deepEqual(message.body, status);
  assert.ok(memory <= 32_768, `${bytes.length} bytes became ${memory}`);
});

function hostileInput(random: Random, target: Target, samples: readonly Uint8Array[]): Uint8Array {
  const sample = pick(random, samples);
  switch (below(random, 8)) {
    case 0:
      return randomBytes(random, below(random, 80));
    case 1:
      return joined(
        new Uint8Array([pick(random, target.firstBytes)]),
        randomBytes(random, below(random, 80)),
      );
    case 2:
      return sample.slice(0, below(random, sample.length + 1));
    case 3: {
      const other = pick(random, samples);
      return joined(
        sample.slice(0, below(random, sample.length + 1)),
        other.slice(below(random, other.length + 1)),
      );
    }
    default:
      return mutate(random, sample);
  }
}

function decode(target: Target, input: Uint8Array): void {
  try {
    target.decode(input);
  } catch (error) {
    if (error instanceof DecodeError) return;
    throw new Error(`SEED=${SEED}: ${target.name} of ${hexOf(input)}`, { cause: error });
  }
}

/** Also tests calls that InboundDatagrams never makes: a fragment of any length at any position. */
function decodeAnyDatagram(bytes: Uint8Array): void {
  const header = new FragmentHeader();
  for (const start of [0, bytes.length >> 1]) {
    const length = datagramLength(bytes, start, bytes.length);
    assert.ok(length >= 0 && start + length <= bytes.length);
    if (length > 0 && decodeFragment(bytes, start, length, header)) {
      assert.equal(header.payloadStart + header.payloadBytes, start + length);
    }
  }
  decodeDatagram(bytes);
}

/** The longest Uint8Array that some work creates. */
function largestAllocation(work: () => void): number {
  const Original = globalThis.Uint8Array;
  let most = 0;
  const watch: ProxyHandler<typeof Uint8Array> = {
    construct(constructor, given: [number | ArrayBuffer], newTarget) {
      if (typeof given[0] === "number") most = Math.max(most, given[0]);
      return Reflect.construct(constructor, given, newTarget) as Uint8Array;
    },
  };
  globalThis.Uint8Array = new Proxy(Original, watch);
  try {
    work();
  } finally {
    globalThis.Uint8Array = Original;
  }
  return most;
}
