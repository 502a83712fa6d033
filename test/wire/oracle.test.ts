import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../src/base/bytes.ts";
import { hexOf } from "../../src/base/hex.ts";
import { below, randomBytes, type Random, SeededRandom } from "../../src/base/random.ts";
import { datagramLength } from "../../src/wire/datagram.ts";
import { decodeManifest } from "../../src/wire/manifest.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import {
  decodeDatagram,
  encodeDatagram,
  randomDatagram,
  randomDatagramValue,
  startsOf,
} from "./datagrams.ts";
import { mutate } from "./mutate.ts";
import { naiveManifest, naiveSegments } from "./naive-blocks.ts";
import { Refused } from "./naive-cursor.ts";
import { naiveDatagram, naiveLength, naiveMessage } from "./naive-decoder.ts";
import { type Plain, plainOf } from "./plain.ts";
import { randomData, randomManifest, randomMessage } from "./random-values.ts";
import { readSegments } from "../support/read-segments.ts";

/** The same for every run, unless SEED is set. */
const SEED = Number(process.env["SEED"] ?? 1);

/** A form on the wire: how a value of it is made, and its two decoders. */
interface Form {
  readonly name: string;
  readonly make: (random: Random) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly naive: (bytes: Uint8Array) => Plain;
  readonly samples: number;
  readonly mutantsPerSample: number;
}

const FORMS: readonly Form[] = [
  {
    name: "control messages",
    make: (random) => encodeMessage(randomMessage(random)),
    decode: decodeMessage,
    naive: naiveMessage,
    samples: 2000,
    mutantsPerSample: 10,
  },
  {
    name: "datagrams",
    make: randomDatagram,
    decode: decodeDatagram,
    naive: naiveDatagram,
    samples: 2000,
    mutantsPerSample: 10,
  },
  {
    name: "manifest blocks",
    make: (random) => randomManifest(random, 8),
    decode: decodeManifest,
    naive: naiveManifest,
    samples: 1000,
    mutantsPerSample: 10,
  },
  {
    name: "data blocks",
    make: (random) => randomData(random, 6),
    decode: readSegments,
    naive: naiveSegments,
    samples: 1000,
    mutantsPerSample: 8,
  },
];

test("what was written is what both decoders read", () => {
  const random = new SeededRandom(SEED + 3);
  for (let sample = 0; sample < 1000; sample++) {
    const message = randomMessage(random);
    assert.deepEqual(naiveMessage(encodeMessage(message)), plainOf(message));
    const datagram = randomDatagramValue(random);
    assert.deepEqual(naiveDatagram(encodeDatagram(datagram)), plainOf(datagram));
  }
});

for (const form of FORMS) {
  test(`two decoders read the same out of random ${form.name}`, () => {
    const random = new SeededRandom(SEED);
    for (let sample = 0; sample < form.samples; sample++) {
      const bytes = form.make(random);
      assert.deepEqual(plainOf(form.decode(bytes)), form.naive(bytes), hexOf(bytes));
    }
  });

  test(`two decoders accept and refuse the same mutants of ${form.name}`, () => {
    const random = new SeededRandom(SEED + 1);
    const counts = { accepted: 0, refused: 0 };
    for (let sample = 0; sample < form.samples; sample++) {
      const bytes = form.make(random);
      for (let mutant = 0; mutant < form.mutantsPerSample; mutant++) {
        if (compare(form, mutate(random, bytes))) counts.accepted++;
        else counts.refused++;
      }
    }
    // A comparison of only rejections, or only acceptances, would prove little.
    assert.ok(
      counts.accepted > form.samples / 10 && counts.refused > form.samples / 10,
      JSON.stringify(counts),
    );
  });
}

test("two decoders find the same datagrams in a train with faults", () => {
  const random = new SeededRandom(SEED + 2);
  for (let round = 0; round < 500; round++) {
    const train = Buffer.concat(Array.from({ length: 1 + below(random, 5) }, () => randomDatagram(random)));
    compareTrains(mutate(random, train));
    compareTrains(randomBytes(random, below(random, 40)));
  }
});

/** Whether both decoders accept the bytes; it is an error if only one does. */
function compare(form: Form, bytes: Uint8Array): boolean {
  const ours = outcome(() => plainOf(form.decode(bytes)), DecodeError);
  const theirs = outcome(() => form.naive(bytes), Refused, RangeError);
  assert.deepEqual(ours, theirs, `SEED=${SEED}: ${hexOf(bytes)}`);
  return ours !== "refused";
}

function compareTrains(bytes: Uint8Array): void {
  const ours = startsOf(bytes, (start) => datagramLength(bytes, start, bytes.length));
  const theirs = startsOf(bytes, (start) => naiveLength(bytes, start));
  assert.deepEqual(ours, theirs, `SEED=${SEED}: ${hexOf(bytes)}`);
}

type ErrorClass = abstract new (...given: never[]) => Error;

function outcome(decode: () => Plain, ...refusals: readonly ErrorClass[]): Plain {
  try {
    return { accepted: decode() };
  } catch (error) {
    if (refusals.some((refusal) => error instanceof refusal)) return "refused";
    throw error;
  }
}
