import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../src/base/bytes.ts";
import { KeyRing } from "../../src/net/key-ring.ts";
import { ControlOpener, ControlSealer, FleetKey } from "../../src/net/sealing.ts";
import { CONTROL_PLAINTEXT_BYTES } from "../../src/wire/datagram.ts";
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
    return new ControlOpener(new KeyRing([fleet])).open(datagram).kind;
  } catch (error) {
    assert.ok(error instanceof DecodeError);
    return "malformed";
  }
}

test("what was sealed opens, with its sender and its counter", () => {
  const [sealer, opener] = [sealerOf(), new ControlOpener(new KeyRing([FLEET]))];
  for (const length of [0, 1, 16, 100, CONTROL_PLAINTEXT_BYTES]) {
    const plaintext = Buffer.alloc(length, length);
    const opened = opener.open(sealer.seal(plaintext));
    assert.ok(opened.kind === "opened");
    assert.deepEqual(opened.plaintext, plaintext);
    assert.deepEqual([opened.header.nodeId, opened.header.epoch], [NODE, EPOCH]);
  }
});

test("counters start at 1 and count up, so that no nonce is used twice", () => {
  const [sealer, opener] = [sealerOf(), new ControlOpener(new KeyRing([FLEET]))];
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
  const [sealer, opener] = [sealerOf(), new ControlOpener(new KeyRing([FLEET]))];
  const datagrams = [1, 2, 3].map(() => sealer.seal(TEXT));
  const kinds = [2, 0, 2, 1, 0, 1].map((index) => opener.open(datagrams[index] as Buffer).kind);
  assert.deepEqual(kinds, ["opened", "opened", "replayed", "opened", "replayed", "replayed"]);
});

test("each node and each epoch has a window of its own", () => {
  const opener = new ControlOpener(new KeyRing([FLEET]));
  for (const sealer of [sealerOf(), sealerOf(FLEET, OTHER_NODE), sealerOf(FLEET, NODE, OTHER_EPOCH)]) {
    assert.equal(opener.open(sealer.seal(TEXT)).kind, "opened");
  }
});

test("a forged datagram with a high counter does not shut out the honest ones", () => {
  const opener = new ControlOpener(new KeyRing([FLEET]));
  const sealer = sealerOf();
  const forger = sealerOf(OTHER_FLEET);
  for (let count = 0; count < 3000; count++) forger.seal(TEXT);
  assert.equal(opener.open(forger.seal(TEXT)).kind, "foreign");
  assert.equal(opener.open(sealer.seal(TEXT)).kind, "opened");
  assert.equal(opener.open(forger.seal(TEXT)).kind, "foreign");
  assert.equal(opener.open(sealer.seal(TEXT)).kind, "opened");
});

test("what does not open takes no memory, and what does is bounded", () => {
  const opener = new ControlOpener(new KeyRing([FLEET]));
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

test("a node whose key is not known is asked for before its key is derived, and members never are", () => {
  const opener = new ControlOpener(new KeyRing([FLEET]));
  const [known, unknown] = [sealerOf(), sealerOf(FLEET, OTHER_NODE)];
  assert.equal(opener.open(known.seal(TEXT)).kind, "opened");
  const refuse = () => false;
  assert.equal(opener.open(unknown.seal(TEXT), refuse).kind, "unexamined");
  assert.equal(opener.open(known.seal(TEXT), refuse).kind, "opened");
  assert.equal(opener.open(unknown.seal(TEXT), () => true).kind, "opened");
  assert.equal(opener.open(unknown.seal(TEXT), refuse).kind, "opened");
});

test("the key of a node of which nothing opens is derived once, and the name is not held against it", () => {
  const opener = new ControlOpener(new KeyRing([FLEET]));
  let asked = 0;
  const count = () => ++asked > 0;
  const forged = sealerOf(OTHER_FLEET);
  for (let packet = 0; packet < 100; packet++) {
    assert.equal(opener.open(forged.seal(TEXT), count).kind, "foreign");
  }
  assert.equal(asked, 1);
  assert.equal(opener.open(sealerOf().seal(TEXT), () => false).kind, "opened");
});

test("the keys of nodes of which nothing opens are few", () => {
  const opener = new ControlOpener(new KeyRing([FLEET]));
  const epochOf = (number: number) => number.toString(16).padStart(16, "0");
  const open = (number: number, mayDerive: boolean) =>
    opener.open(sealerOf(OTHER_FLEET, NODE, epochOf(number)).seal(TEXT), () => mayDerive).kind;
  for (let number = 0; number < 257; number++) open(number, true);
  assert.deepEqual([open(0, false), open(1, false), open(256, false)], ["unexamined", "foreign", "foreign"]);
});

test("what is longer than a datagram does not open", () => {
  const longest = sealerOf().seal(Buffer.alloc(CONTROL_PLAINTEXT_BYTES));
  assert.equal(fate(longest), "opened");
  assert.equal(fate(Buffer.concat([longest, Buffer.alloc(1)])), "foreign");
});
