import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { sealBlock } from "../../src/net/block-sealing.ts";
import { factorOf } from "../../src/net/parity.ts";
import { ControlOpener, ControlSealer, FleetKey } from "../../src/net/sealing.ts";
import { BlockKind, encodeFragmentHeader } from "../../src/wire/datagram.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { TAG_BYTES } from "../../src/wire/limits.ts";
import { ManifestWriter } from "../../src/wire/manifest.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";

/**
 * The bytes of the examples in PROTOCOL.md 10 are those of the program. `EXAMPLES=write node --test
 * test/net/protocol-examples.test.ts` writes them again.
 */

const FILE = path.join(import.meta.dirname, "../../PROTOCOL.md");
const [BEGIN, END] = ["<!-- examples -->\n", "<!-- end of examples -->\n"];

const count = (from: number, bytes: number) =>
  Buffer.from(Array.from({ length: bytes }, (_, index) => from + index));
const key = new FleetKey(count(0, 32));
const nodeId = count(0x20, 16).toString("hex");
const epoch = count(0x30, 8).toString("hex");

/** Lines of 32 bytes, in groups of 4. */
function hexLines(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString("hex");
  const lines = hex.match(/.{1,64}/g) ?? [];
  return lines.map((line) => `    ${(line.match(/.{1,8}/g) ?? []).join(" ")}`).join("\n");
}

const info = {
  ...{ hostName: "web1", version: "2.1.0", protocol: 3, receives: true, sends: true },
  labels: ["tokyo"],
};
const helloPlain = encodeMessage({ type: "hello", body: { info } });
const hello = new ControlSealer(key, nodeId, epoch).seal(helloPlain);

/** A manifest block with a file of 5 bytes in the base directory: block 0 of transfer 1. */
function manifestPlain(): Uint8Array {
  const writer = new ManifestWriter(new Uint8Array(1_000), 0);
  const owner = { id: 0, name: "root" };
  const metadata = { mode: 0o644, mtimeNs: 1_700_000_000_000_000_000n, user: owner, group: owner };
  const entry = { type: EntryType.file, name: "a.txt", metadata, size: 5, target: "", extras: undefined };
  assert.ok(writer.add({ path: "", metadata: undefined }, entry));
  return writer.finish();
}

/** Seals a plaintext as block 0 of transfer 1, and puts it into its one fragment. */
function blockExample(): { plain: Uint8Array; fragment: Uint8Array } {
  const plain = manifestPlain();
  const sealed = Buffer.concat([plain, Buffer.alloc(TAG_BYTES)]);
  sealBlock(key.transferKey(epoch, 1), 1, 0, BlockKind.manifest, sealed);
  const fragment = Buffer.alloc(32 + sealed.length);
  encodeFragmentHeader(fragment, 0, {
    ...{ transfer: 1, block: 0, stamp: 0, sealedBytes: sealed.length, index: 0, kind: BlockKind.manifest },
    ...{
      epochHigh: 0x30313233,
      epochLow: 0x34353637,
      fullBytes: 1408,
      payloadStart: 32,
      payloadBytes: sealed.length,
    },
  });
  fragment.set(sealed, 32);
  return { plain, fragment };
}

function examples(): string {
  const { plain, fragment } = blockExample();
  const parts: [string, Uint8Array][] = [
    ["The key of the control messages of this node", key.controlKey(nodeId, epoch)],
    ["The plaintext of its first message, a HELLO of `web1`, version 2.1.0, label `tokyo`", helloPlain],
    ["The datagram of this HELLO, with the counter 1", hello],
    ["The key of the blocks of its transfer 1", key.transferKey(epoch, 1)],
    ["The plaintext of block 0, a manifest with the file `a.txt` of 5 bytes in the base directory", plain],
    ["The one fragment of this block, with the stamp 0", fragment],
    [
      "The factors of the fragments 0 to 43 in the parity fragments 45 and 63 of a block",
      Uint8Array.from({ length: 88 }, (_, at) => factorOf(at < 44 ? 45 : 63, at % 44)),
    ],
  ];
  return parts.map(([title, bytes]) => `${title}:\n\n${hexLines(bytes)}\n`).join("\n");
}

test("the examples of PROTOCOL.md are what the program makes", () => {
  const text = fs.readFileSync(FILE, "utf8");
  const [start, end] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  const made = `\n${examples()}\n`;
  if (process.env["EXAMPLES"] === "write")
    fs.writeFileSync(FILE, text.slice(0, start) + made + text.slice(end));
  else assert.equal(text.slice(start, end), made);
});

test("the HELLO of the examples opens", () => {
  const opened = new ControlOpener({ opening: [key] }).open(hello);
  assert.equal(opened.kind, "opened");
  if (opened.kind === "opened")
    assert.deepEqual(decodeMessage(opened.plaintext), { type: "hello", body: { info } });
});
