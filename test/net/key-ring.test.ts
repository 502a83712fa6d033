import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyRing } from "../../src/net/key-ring.ts";
import { ControlOpener, ControlSealer } from "../../src/net/sealing.ts";

const NODE = "00112233445566778899aabbccddeeff";
const EPOCH = "0123456789abcdef";
const [OLD, NEW, OTHER] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer];
const TEXT = Buffer.from("a control message");

const ringOf = (...secrets: Buffer[]) => KeyRing.of(secrets);
const sealerOf = (...secrets: Buffer[]) => new ControlSealer(ringOf(...secrets).sealing, NODE, EPOCH);
const unused = () => false;

test("the first key seals, and all of them open", () => {
  const opener = new ControlOpener(ringOf(OLD, NEW));
  for (const [secret, kind] of [
    [OLD, "opened"],
    [NEW, "opened"],
    [OTHER, "foreign"],
  ] as const) {
    const sealer = new ControlSealer(ringOf(secret).sealing, NODE, `${secret[0]}`.repeat(16));
    assert.equal(opener.open(sealer.seal(TEXT)).kind, kind);
  }
  assert.equal(ringOf(NEW, OLD).sealing.fingerprint, ringOf(NEW).sealing.fingerprint);
});

test("a fingerprint is the one of PROTOCOL.md 7.1, and a fleet without a key has none", () => {
  // HKDF with SHA-256 of 32 bytes 0x01, no salt, info "makuosan fingerprint", 4 bytes; computed with another library.
  assert.deepEqual(ringOf(OLD).fingerprints, ["2e658373"]);
  assert.equal(ringOf().fingerprints, undefined);
  assert.equal(ringOf().isSecret, false);
});

test("a node that seals with another key has the same window: nothing opens twice", () => {
  const ring = ringOf(OLD, NEW);
  const [opener, [oldKey, newKey]] = [new ControlOpener(ring), ring.opening];
  const sealer = sealerOf(OLD);
  const datagrams = [oldKey, newKey, oldKey, newKey].map((key) => sealer.seal(TEXT, key));
  const kinds = [0, 1, 1, 3, 0, 2, 2].map((index) => opener.open(datagrams[index] as Buffer).kind);
  assert.deepEqual(kinds, ["opened", "opened", "replayed", "opened", "replayed", "opened", "replayed"]);
});

test("the window outlives the key that was taken away", () => {
  const ring = ringOf(OLD, NEW);
  const opener = new ControlOpener(ring);
  const sealer = sealerOf(OLD);
  const datagrams = ring.opening.map((key) => sealer.seal(TEXT, key));
  for (const datagram of datagrams) assert.equal(opener.open(datagram).kind, "opened");
  ring.replace(ring.keysOf([NEW]), unused, 0);
  opener.forgetOldKeys();
  assert.deepEqual(
    datagrams.map((datagram) => opener.open(datagram).kind),
    ["foreign", "replayed"],
  );
});

test("keys of strangers are asked for one by one, and those of known nodes are not", () => {
  const opener = new ControlOpener(ringOf(OLD, NEW));
  let asked = 0;
  const few = () => ++asked <= 1;
  const stranger = sealerOf(OTHER);
  assert.equal(opener.open(stranger.seal(TEXT), few).kind, "unexamined");
  assert.equal(asked, 2);
  assert.equal(opener.open(stranger.seal(TEXT), () => true).kind, "foreign");
  assert.equal(opener.open(stranger.seal(TEXT), () => assert.fail()).kind, "foreign");

  const node = new ControlSealer(ringOf(OLD).sealing, "ff".repeat(16), EPOCH);
  assert.equal(opener.open(node.seal(TEXT)).kind, "opened");
  assert.equal(opener.open(node.seal(TEXT, ringOf(NEW).sealing), () => assert.fail()).kind, "opened");
});

test("a key that stays is the same, and one that was taken away opens nothing", () => {
  const ring = ringOf(OLD, NEW);
  const newKey = ring.opening[1];
  ring.replace(ring.keysOf([NEW, OTHER]), unused, 0);
  assert.equal(ring.sealing, newKey);
  assert.equal(new ControlOpener(ring).open(sealerOf(OLD).seal(TEXT)).kind, "foreign");
});

test("a key that a transfer needs opens until a while after its end", () => {
  const ring = ringOf(OLD);
  const oldKey = ring.sealing;
  const inUse = (key: unknown) => key === oldKey;
  ring.replace(ring.keysOf([NEW]), inUse, 0);
  assert.deepEqual([ring.isRetired(oldKey), ring.isRetired(ring.sealing)], [true, false]);
  assert.ok(ring.opening.includes(oldKey));
  assert.equal(ring.fingerprints?.length, 1, "it is not one that the node accepts");
  assert.equal(ring.dropRetired(inUse, 100_000), true);
  assert.equal(ring.dropRetired(unused, 159_999), true);
  assert.equal(ring.dropRetired(unused, 160_000), false);
  assert.ok(!ring.opening.includes(oldKey));
});

test("a key that is given back is accepted again", () => {
  const ring = ringOf(OLD);
  const oldKey = ring.sealing;
  ring.replace(ring.keysOf([NEW]), () => true, 0);
  ring.replace(ring.keysOf([NEW, OLD]), () => true, 0);
  assert.deepEqual([ring.isRetired(oldKey), ring.opening.length], [false, 2]);
});
