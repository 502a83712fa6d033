import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { hexOf } from "../../src/base/hex.ts";
import { openBlock, sealBlock } from "../../src/net/block-sealing.ts";
import { KeyRing } from "../../src/net/key-ring.ts";
import { ControlOpener, ControlSealer, FleetKey } from "../../src/net/sealing.ts";
import { TAG_BYTES } from "../../src/wire/limits.ts";
import { type BlockParts, bytesOfDigits, type ControlParts } from "./naive-sealing.ts";
import { deriveKey, naiveBlock, naiveControl } from "./naive-sealing.ts";

/**
 * `UPDATE_VECTORS=1 node --test test/net/sealed-vectors.test.ts` lets the second implementation write the keys and
 * what is sealed anew; the program then has to agree with it.
 */

interface Common {
  readonly name: string;
  /** 32 bytes, or null for a fleet without a key. */
  readonly fleetKey: string | null;
  readonly epoch: string;
  key: string;
}

type ControlVector = Common & ControlParts & { datagram: string };
type BlockVector = Common & BlockParts & { sealed: string };

interface SealedVectors {
  readonly about: string;
  readonly control: readonly ControlVector[];
  readonly blocks: readonly BlockVector[];
}

const FILE = path.join(import.meta.dirname, "vectors", "sealed.json");
const vectors = JSON.parse(readFileSync(FILE, "utf8")) as SealedVectors;

async function resealed<V extends Common>(
  vector: V,
  purpose: string,
  seal: (key: string) => Promise<object>,
) {
  const key = await deriveKey(vector.fleetKey, vector.epoch, purpose);
  return { ...vector, key, ...(await seal(key)) };
}

const resealedControl = (vector: ControlVector) =>
  resealed(vector, `makuosan 2 control ${vector.nodeId}`, async (key) => ({
    datagram: await naiveControl(key, vector),
  }));

const resealedBlock = (vector: BlockVector) =>
  resealed(vector, `makuosan 2 transfer ${vector.transfer}`, async (key) => ({
    sealed: await naiveBlock(key, vector),
  }));

if (process.env["UPDATE_VECTORS"] === "1") {
  for (const vector of vectors.control) Object.assign(vector, await resealedControl(vector));
  for (const vector of vectors.blocks) Object.assign(vector, await resealedBlock(vector));
  writeFileSync(FILE, `${JSON.stringify(vectors, undefined, 2)}\n`);
}

const fleetKeyOf = (vector: Common) =>
  new FleetKey(vector.fleetKey === null ? undefined : Buffer.from(vector.fleetKey, "hex"));

for (const vector of vectors.control) {
  test(`sealed.json: ${vector.name}`, async () => {
    const fleetKey = fleetKeyOf(vector);
    const { nodeId, epoch, key, datagram } = vector;
    assert.equal(fleetKey.controlKey(nodeId, epoch).toString("hex"), key);
    const opened = new ControlOpener(new KeyRing([fleetKey])).open(bytesOfDigits(datagram));
    assert.ok(opened.kind === "opened");
    assert.equal(opened.plaintext.toString("hex"), vector.plaintext);
    assert.deepEqual(opened.header, { nodeId, epoch, counter: BigInt(vector.counter) });
    if (Number(vector.counter) < 100) assert.equal(sealedAs(vector, fleetKey), datagram);
    assert.deepEqual(await resealedControl(vector), vector, "by the second implementation");
  });
}

for (const vector of vectors.blocks) {
  test(`sealed.json: ${vector.name}`, async () => {
    const { transfer, block, kind, epoch } = vector;
    const key = fleetKeyOf(vector).transferKey(epoch, transfer);
    assert.equal(key.toString("hex"), vector.key);
    const bytes = Buffer.concat([bytesOfDigits(vector.plaintext), Buffer.alloc(TAG_BYTES)]);
    sealBlock(key, transfer, block, kind, bytes);
    assert.equal(bytes.toString("hex"), vector.sealed);
    assert.equal(hexOf(openBlock(key, transfer, block, kind, bytes) ?? new Uint8Array()), vector.plaintext);
    assert.deepEqual(await resealedBlock(vector), vector, "by the second implementation");
  });
}

/** Counters start at 1, so a low one is reached by sealing something else before. */
function sealedAs(vector: ControlVector, fleetKey: FleetKey): string {
  const sealer = new ControlSealer(fleetKey, vector.nodeId, vector.epoch);
  for (let counter = 1; counter < Number(vector.counter); counter++) sealer.seal(new Uint8Array(1));
  return sealer.seal(bytesOfDigits(vector.plaintext)).toString("hex");
}
