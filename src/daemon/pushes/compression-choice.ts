/** Chooses how contents are compressed and compared, by what all members of a transfer understand. */
import type { Member } from "../../engine/types.ts";
import type { SendRequest } from "../../console/protocol.ts";
import type { CompressionMode } from "../../tree/entries/compression.ts";

/** The version of the protocol that brought compressed segments, and digests of data alone. */
const COMPRESSING_PROTOCOL = 3;
const DATA_DIGEST_PROTOCOL = 3;

/**
 * Whether the contents of a transfer are compressed: as the request says, or else the setting. Members that speak version 2
 * do not understand compressed segments, so nothing is compressed if one of them is a target (PROTOCOL.md 4.2).
 */
export function compressionFor(
  members: readonly Pick<Member, "info">[],
  { compression: asked }: Pick<SendRequest, "compression">,
  setting: CompressionMode,
): CompressionMode {
  if (members.some(({ info }) => info.protocol < COMPRESSING_PROTOCOL)) return "no";
  return asked ?? setting;
}

/**
 * Whether files with holes are compared by digests of their data alone. Members that speak version 2 know only digests of all
 * bytes (PROTOCOL.md 6.1).
 */
export function digestsDataFor(members: readonly Pick<Member, "info">[]): boolean {
  return members.every(({ info }) => info.protocol >= DATA_DIGEST_PROTOCOL);
}
