import { BLOCK_PLAINTEXT_BYTES } from "../../src/wire/datagram.ts";
import { DataWriter, type Segment, SegmentKind } from "../../src/wire/data-block.ts";
import { decodeManifest, type ManifestBlock, ManifestWriter } from "../../src/wire/manifest.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { decodeDatagram, encodeDatagram } from "./datagrams.ts";
import { naiveManifest, naiveSegments } from "./naive-blocks.ts";
import { naiveDatagram, naiveMessage } from "./naive-decoder.ts";
import { testVectors } from "./vectors.ts";
import { readSegments } from "../support/read-segments.ts";

testVectors("messages.json", { encode: encodeMessage, decode: decodeMessage, naive: naiveMessage });
testVectors("datagrams.json", { encode: encodeDatagram, decode: decodeDatagram, naive: naiveDatagram });
testVectors("manifests.json", { encode: encodeManifest, decode: decodeManifest, naive: naiveManifest });
testVectors("data-blocks.json", {
  encode: encodeSegments,
  decode: readSegments,
  naive: naiveSegments,
});

function encodeManifest(block: ManifestBlock): Uint8Array {
  const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), block.firstEntry);
  if (block.origin !== undefined) writer.addOrigin(block.origin);
  if (block.terms !== undefined) writer.addTerms(block.terms);
  for (const pattern of block.excludes) writer.addExclude(pattern);
  for (const digest of block.digests) writer.addDigest(digest);
  if (block.chunkKey !== undefined) writer.addChunkKey(block.chunkKey);
  for (const chunk of block.chunks ?? []) writer.addChunk(chunk);
  for (const { header, entries, isComplete } of block.directories) {
    for (const entry of entries) writer.add(header, entry);
    if (isComplete) writer.addComplete(header);
  }
  return writer.finish();
}

function encodeSegments(segments: readonly Segment[]): Uint8Array {
  const writer = new DataWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES));
  for (const segment of segments) {
    if (segment.kind === SegmentKind.withdrawn) writer.addWithdrawal(segment.entry, segment.reason);
    else if (segment.kind === SegmentKind.hole) writer.addHole(segment.entry, segment.offset, segment.length);
    else {
      writer.contentSpace(segment.bytes.length).set(segment.bytes);
      writer.addContent(segment.entry, segment.offset, segment.bytes.length);
    }
  }
  return writer.finish();
}
