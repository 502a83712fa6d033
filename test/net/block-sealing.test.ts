import assert from "node:assert/strict";
import crypto from "node:crypto";
import { test } from "node:test";
import { openBlock, sealBlock } from "../../src/net/block-sealing.ts";
import { type InPlaceCipher, nativeCipher, nodeCipher } from "../../src/net/in-place-cipher.ts";
import { FleetKey } from "../../src/net/sealing.ts";
import {
  BLOCK_ASSOCIATED_BYTES,
  BLOCK_PLAINTEXT_BYTES,
  BlockKind,
  writeBlockAssociatedData,
} from "../../src/wire/datagram.ts";
import { TAG_BYTES } from "../../src/wire/limits.ts";

const EPOCH = "8877665544332211";
const OTHER_EPOCH = "0011223344556677";
const FLEET = new FleetKey(Buffer.alloc(32, 7));
const OTHER_FLEET = new FleetKey(Buffer.alloc(32, 8));
const KEY = FLEET.transferKey(EPOCH, 3);
const [TRANSFER, BLOCK, KIND] = [3, 9, BlockKind.data];
const CONTENT = Buffer.from("the content of a block");

function associatedData(transfer: number, block: number, bytes: number, kind: number): Buffer {
  const associated = Buffer.alloc(BLOCK_ASSOCIATED_BYTES);
  writeBlockAssociatedData(associated, transfer, block, bytes, kind);
  return associated;
}

/** A block by the cipher that is usual here. */
function sealed(content: Uint8Array = CONTENT, cipher?: InPlaceCipher): Buffer {
  const bytes = Buffer.concat([content, Buffer.alloc(TAG_BYTES)]);
  sealBlock(KEY, TRANSFER, BLOCK, KIND, bytes, cipher);
  return bytes;
}

/** Opens a copy: a block is opened where it lies. */
function open(
  block: Uint8Array,
  [key, transfer, number, kind] = [KEY, TRANSFER, BLOCK, KIND] as [Buffer, number, number, number],
  cipher?: InPlaceCipher,
): Uint8Array | undefined {
  return openBlock(key, transfer, number, kind, Buffer.from(block), cipher);
}

for (const [name, cipher] of [
  ["OpenSSL itself", nativeCipher],
  ["node:crypto", nodeCipher],
] as const) {
  test(`what was sealed as a block opens as that block, by ${name}`, () => {
    for (const length of [1, 15, 16, 17, 1408, BLOCK_PLAINTEXT_BYTES]) {
      const content = crypto.randomBytes(length);
      const block = sealed(content, cipher);
      assert.deepEqual(block, sealed(content, nodeCipher), "both ciphers seal alike");
      assert.deepEqual(open(block, undefined, cipher), content);
    }
  });

  test(`every single bit of a block counts, by ${name}`, () => {
    const block = sealed();
    for (let bit = 0; bit < block.length * 8; bit++) {
      const flipped = Buffer.from(block);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.equal(open(flipped, undefined, cipher), undefined, `bit ${bit}`);
    }
  });

  test(`a block of nothing but its tag opens to nothing, by ${name}`, () => {
    const block = Buffer.alloc(TAG_BYTES);
    sealBlock(KEY, TRANSFER, BLOCK, KIND, block, cipher);
    assert.equal(openBlock(KEY, TRANSFER, BLOCK, KIND, block, cipher)?.length, 0);
  });

  test(`a block in shared memory is sealed and opened where it lies, by ${name}`, () => {
    const memory = new Uint8Array(new SharedArrayBuffer(200)).subarray(40, 140);
    memory.fill(0x42);
    sealBlock(KEY, TRANSFER, BLOCK, KIND, memory, cipher);
    assert.equal(openBlock(KEY, TRANSFER, BLOCK, KIND, memory, cipher)?.buffer, memory.buffer);
    assert.ok(memory.subarray(0, 100 - TAG_BYTES).every((byte) => byte === 0x42));
  });
}

test("a block opens under its own key, transfer, number and kind alone", () => {
  const block = sealed();
  const opens = (key: Buffer, transfer: number, number: number, kind: number) =>
    open(block, [key, transfer, number, kind]) !== undefined;
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
    assert.equal(open(block.subarray(0, length)), undefined, `${length}`);
  }
  assert.equal(open(Buffer.concat([block, Buffer.alloc(1)])), undefined);
});

test("transfer, number, length and kind are bound by the seal itself, not by key and nonce alone", () => {
  const sealedFor = (transfer: number, block: number, bytes: number, kind: number) => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32LE(BLOCK);
    const associated = associatedData(transfer, block, bytes, kind);
    const cipher = crypto.createCipheriv("aes-256-gcm", KEY, nonce).setAAD(associated);
    return Buffer.concat([cipher.update(CONTENT), cipher.final(), cipher.getAuthTag()]);
  };
  const opens = (block: Buffer) => open(block) !== undefined;
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
    cipher.setAAD(associatedData(TRANSFER, BLOCK, authTagLength, KIND)).final();
    assert.equal(open(cipher.getAuthTag()), undefined);
  }
});
