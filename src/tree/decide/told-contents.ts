/** The sender tells digests or chunks of files before it sends contents: what of them does this member need? */
import { Bitmap } from "../../base/bitmap.ts";
import { DecodeError } from "../../base/bytes.ts";
import type { ManifestBlock } from "../../wire/manifest.ts";
import type { ChunkTags } from "../entries/chunk-tags.ts";
import type { Decisions, Outcome } from "./decision.ts";

/** The answer to a block of digests or chunks. */
export interface ToldPlan {
  readonly wants: Bitmap;
  readonly differences: undefined;
}

/** Whether a block has digests or chunks, and nothing else. */
export function isOfToldContents({ digests, chunks = [] }: ManifestBlock): boolean {
  return digests.length + chunks.length > 0;
}

/**
 * @param tags those of the transfer; undefined if the sender has not said that it tells chunks
 * @returns the digests or chunks of which contents are needed
 * @throws DecodeError for chunks without a key
 */
export function* recognize(
  { digests, chunks = [] }: ManifestBlock,
  tags: ChunkTags | undefined,
): Decisions<ToldPlan> {
  const wants = new Bitmap(digests.length + chunks.length);
  for (const [index, { entry: number, digest }] of digests.entries()) {
    const outcome: Outcome = yield { kind: "recognize", number, digest };
    if (outcome === "needs contents") wants.set(index);
  }
  if (chunks.length > 0) {
    if (tags === undefined) throw new DecodeError("a chunk without a key");
    yield { kind: "find", chunks, tags, need: (index) => wants.set(digests.length + index) };
  }
  return { wants, differences: undefined };
}
