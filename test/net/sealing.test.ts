import assert from "node:assert/strict";
import crypto from "node:crypto";
import { test } from "node:test";
import { DecodeError } from "../../src/base/bytes.ts";
import { ControlOpener, ControlSealer, FleetKey, openBlock, sealBlock } from "../../src/net/sealing.ts";
import {
  BLOCK_PLAINTEXT_BYTES,
  blockAssociatedData,
  BlockKind,
  CONTROL_PLAINTEXT_BYTES,
} from "../../src/wire/datagram.ts";
import { SESSION_KEYS, TAG_BYTES } from "../../src/wire/limits.ts";

const NODE = "00112233445566778899aabbccddeeff";
const OTHER_NODE = "ffeeddccbbaa99887766554433221100";
const EPOCH = "0123456789abcdef";
const OTHER_EPOCH = "0123456789abcdee";

const FLEET = new FleetKey(Buffer.alloc(32, 7));
const OTHER_FLEET = new FleetKey(Buffer.alloc(32, 8));
const TEXT = Buffer.from("a control message");

const sealerOf = (fleet = FLEET, node = NODE, epoch = EPOCH) => new ControlSealer(fleet, node, epoch);

/** What an opener that has seen nothing makes of a datagram. */
function fate(datagram: Uint8Array, fleet = FLEET): string {
  try {
    return new ControlOpener(fleet).open(datagram).kind;
  } catch (error) {
    assert.ok(error instanceof DecodeError);
    return "malformed";
  }
}

test("what was sealed opens, with its sender and its counter", () => {
  const [sealer, opener] = [sealerOf(), new ControlOpener(FLEET)];
  for (const length of [0, 1, 16, 100, CONTROL_PLAINTEXT_BYTES]) {
    const plaintext = Buffer.alloc(length, length);
    const opened = opener.open(sealer.seal(plaintext));
    assert.ok(opened.kind === "opened");
    assert.deepEqual(opened.plaintext, plaintext);
    assert.deepEqual([opened.header.nodeId, opened.header.epoch], [NODE, EPOCH]);
  }
});

test("counters start at 1 and count up, so that no nonce is used twice", () => {
  const [sealer, opener] = [sealerOf(), new ControlOpener(FLEET)];
  const datagrams = [1, 2, 3].map(() => sealer.seal(TEXT));
  assert.equal(new Set(datagrams.map((one) => one.subarray(40).toString("hex"))).size, 3);
  const counters = datagrams.map((datagram) => {
    const opened = opener.open(datagram);
    return opened.kind === "opened" ? opened.header.counter : undefined;
  });
  assert.deepEqual(counters, [1n, 2n, 3n]);
});

test("a datagram sealed with another fleet's key is foreign", () => {
  assert.equal(fate(sealerOf(OTHER_FLEET).seal(TEXT)), "foreign");
  assert.equal(fate(sealerOf().seal(TEXT), OTHER_FLEET), "foreign");
});

test("every single bit counts: of the header, of the body and of the tag", () => {
  const datagram = sealerOf().seal(TEXT);
  assert.equal(fate(datagram), "opened");
  for (let bit = 0; bit < datagram.length * 8; bit++) {
    const flipped = Buffer.from(datagram);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    assert.equal(fate(flipped), "foreign", `bit ${bit & 7} of byte ${bit >> 3}`);
  }
});

test("a datagram that is cut or lengthened anywhere does not open", () => {
  const datagram = sealerOf().seal(TEXT);
  for (let length = 0; length < datagram.length; length++) {
    const expected = length < 40 + TAG_BYTES ? "malformed" : "foreign";
    assert.equal(fate(datagram.subarray(0, length)), expected, `${length} bytes`);
  }
  assert.equal(fate(Buffer.concat([datagram, Buffer.alloc(1)])), "foreign");
});

test("a tag cannot be moved from one datagram to another", () => {
  const sealer = sealerOf();
  const [one, other] = [sealer.seal(TEXT), sealer.seal(TEXT)];
  assert.equal(fate(Buffer.concat([one.subarray(0, -TAG_BYTES), other.subarray(-TAG_BYTES)])), "foreign");
  assert.equal(fate(Buffer.concat([one.subarray(0, 40), other.subarray(40)])), "foreign");
});

test("a datagram opens once", () => {
  const [sealer, opener] = [sealerOf(), new ControlOpener(FLEET)];
  const datagrams = [1, 2, 3].map(() => sealer.seal(TEXT));
  const kinds = [2, 0, 2, 1, 0, 1].map((index) => opener.open(datagrams[index] as Buffer).kind);
  assert.deepEqual(kinds, ["opened", "opened", "replayed", "opened", "replayed", "replayed"]);
});

test("each node and each epoch has a window of its own", () => {
  const opener = new ControlOpener(FLEET);
  for (const sealer of [sealerOf(), sealerOf(FLEET, OTHER_NODE), sealerOf(FLEET, NODE, OTHER_EPOCH)]) {
    assert.equal(opener.open(sealer.seal(TEXT)).kind, "opened");
  }
});

test("a forged datagram with a high counter does not shut out the honest ones", () => {
  const opener = new ControlOpener(FLEET);
  const sealer = sealerOf();
  const forger = sealerOf(OTHER_FLEET);
  for (let count = 0; count < 3000; count++) forger.seal(TEXT);
  assert.equal(opener.open(forger.seal(TEXT)).kind, "foreign");
  assert.equal(opener.open(sealer.seal(TEXT)).kind, "opened");
  assert.equal(opener.open(forger.seal(TEXT)).kind, "foreign");
  assert.equal(opener.open(sealer.seal(TEXT)).kind, "opened");
});

test("what does not open takes no memory, and what does is bounded", () => {
  const opener = new ControlOpener(FLEET);
  const epochOf = (number: number) => number.toString(16).padStart(16, "0");
  for (let number = 0; number < 500; number++)
    opener.open(sealerOf(OTHER_FLEET, NODE, epochOf(number)).seal(TEXT));
  assert.equal(opener["sessions"].size, 0);
  for (let number = 0; number < SESSION_KEYS + 10; number++) {
    opener.open(sealerOf(FLEET, NODE, epochOf(number)).seal(TEXT));
  }
  assert.equal(opener["sessions"].size, SESSION_KEYS);
});

test("keys differ by fleet, node, epoch and transfer, and by what they are for", () => {
  const keys = [
    FLEET.controlKey(NODE, EPOCH),
    FLEET.controlKey(OTHER_NODE, EPOCH),
    FLEET.controlKey(NODE, OTHER_EPOCH),
    OTHER_FLEET.controlKey(NODE, EPOCH),
    FLEET.transferKey(EPOCH, 1),
    FLEET.transferKey(EPOCH, 11),
    FLEET.transferKey(OTHER_EPOCH, 1),
    OTHER_FLEET.transferKey(EPOCH, 1),
  ];
  assert.equal(new Set(keys.map((key) => key.toString("hex"))).size, keys.length);
  for (const key of keys) assert.equal(key.length, 32);
});

test("nodes without a key understand each other, and nobody who has one", () => {
  const [open, alsoOpen] = [new FleetKey(undefined), new FleetKey(undefined)];
  assert.ok(!open.isSecret && FLEET.isSecret);
  const datagram = sealerOf(open).seal(TEXT);
  assert.equal(fate(datagram, alsoOpen), "opened");
  assert.equal(fate(datagram, FLEET), "foreign");
  assert.equal(fate(sealerOf().seal(TEXT), open), "foreign");
});

test("nodes without a key still tell damaged datagrams from whole ones", () => {
  const open = new FleetKey(undefined);
  const datagram = sealerOf(open).seal(TEXT);
  datagram.writeUInt8(datagram.readUInt8(45) ^ 1, 45);
  assert.equal(fate(datagram, open), "foreign");
});

// Blocks.

const KEY = FLEET.transferKey(EPOCH, 3);
const [TRANSFER, BLOCK, KIND] = [3, 9, BlockKind.data];
const CONTENT = Buffer.from("the content of a block");
const sealed = (content = CONTENT) => Buffer.concat(sealBlock(KEY, TRANSFER, BLOCK, KIND, content));

test("what was sealed as a block opens as that block", () => {
  for (const length of [1, 15, 16, 17, 1408, BLOCK_PLAINTEXT_BYTES]) {
    const content = Buffer.alloc(length, 0x42);
    assert.equal(sealed(content).length, length + TAG_BYTES);
    assert.deepEqual(openBlock(KEY, TRANSFER, BLOCK, KIND, sealed(content)), content);
  }
});

test("a block opens under its own key, transfer, number and kind alone", () => {
  const block = sealed();
  const opens = (key: Buffer, transfer: number, number: number, kind: number) =>
    openBlock(key, transfer, number, kind, block) !== undefined;
  assert.ok(opens(KEY, TRANSFER, BLOCK, KIND));
  assert.ok(!opens(FLEET.transferKey(EPOCH, 4), TRANSFER, BLOCK, KIND));
  assert.ok(!opens(FLEET.transferKey(OTHER_EPOCH, 3), TRANSFER, BLOCK, KIND));
  assert.ok(!opens(OTHER_FLEET.transferKey(EPOCH, 3), TRANSFER, BLOCK, KIND));
  assert.ok(!opens(KEY, TRANSFER + 1, BLOCK, KIND), "the transfer is bound by more than its key");
  assert.ok(!opens(KEY, TRANSFER, BLOCK + 1, KIND));
  assert.ok(!opens(KEY, TRANSFER, BLOCK, BlockKind.manifest));
});

test("a block that is cut or lengthened does not open", () => {
  const block = sealed();
  for (let length = 0; length < block.length; length++) {
    assert.equal(openBlock(KEY, TRANSFER, BLOCK, KIND, block.subarray(0, length)), undefined, `${length}`);
  }
  assert.equal(openBlock(KEY, TRANSFER, BLOCK, KIND, Buffer.concat([block, Buffer.alloc(1)])), undefined);
});

test("transfer, number, length and kind are bound by the seal itself, not by key and nonce alone", () => {
  const sealedFor = (transfer: number, block: number, bytes: number, kind: number) => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32LE(BLOCK);
    const associated = blockAssociatedData(transfer, block, bytes, kind);
    const cipher = crypto.createCipheriv("aes-256-gcm", KEY, nonce).setAAD(associated);
    return Buffer.concat([cipher.update(CONTENT), cipher.final(), cipher.getAuthTag()]);
  };
  const opens = (block: Buffer) => openBlock(KEY, TRANSFER, BLOCK, KIND, block) !== undefined;
  const bytes = CONTENT.length + TAG_BYTES;
  assert.ok(opens(sealedFor(TRANSFER, BLOCK, bytes, KIND)));
  assert.ok(!opens(sealedFor(TRANSFER + 1, BLOCK, bytes, KIND)));
  assert.ok(!opens(sealedFor(TRANSFER, BLOCK + 1, bytes, KIND)));
  assert.ok(!opens(sealedFor(TRANSFER, BLOCK, bytes + 1, KIND)));
  assert.ok(!opens(sealedFor(TRANSFER, BLOCK, bytes, BlockKind.manifest)));
});

test("a tag that is shorter than it has to be opens nothing", () => {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(BLOCK);
  for (const authTagLength of [4, 8, 12, 13, 14, 15]) {
    const cipher = crypto.createCipheriv("aes-256-gcm", KEY, nonce, { authTagLength });
    cipher.setAAD(blockAssociatedData(TRANSFER, BLOCK, authTagLength, KIND)).final();
    assert.equal(openBlock(KEY, TRANSFER, BLOCK, KIND, cipher.getAuthTag()), undefined);
  }
});

test("every single bit of a block counts", () => {
  const block = sealed();
  for (let bit = 0; bit < block.length * 8; bit++) {
    const flipped = Buffer.from(block);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    assert.equal(openBlock(KEY, TRANSFER, BLOCK, KIND, flipped), undefined, `bit ${bit}`);
  }
});
