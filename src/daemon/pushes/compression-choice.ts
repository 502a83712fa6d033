/** Chooses how contents are compressed, compared and recognized, by what all members of a transfer understand. */
import type { Member } from "../../engine/types.ts";
import type { SendRequest } from "../../console/protocol.ts";
import type { CompressionMode } from "../../tree/entries/compression.ts";

/**
 * The version of the protocol that brought compressed segments, digests of files that members may have by other names, and
 * digests of data alone.
 */
const SAVING_PROTOCOL = 3;

/**
 * Whether the contents of a transfer are compressed: as the request says, or else the setting. Members that speak version 2
 * do not understand compressed segments, so nothing is compressed if one of them is a target (PROTOCOL.md 4.2).
 */
export function compressionFor(
  members: readonly Pick<Member, "info">[],
  { compression: asked }: Pick<SendRequest, "compression">,
  setting: CompressionMode,
): CompressionMode {
  return allUnderstand(members) ? (asked ?? setting) : "no";
}

/**
 * Whether all members understand compressed segments, digests of files that they may have by other names, and digests of the
 * data alone of files with holes (PROTOCOL.md 4.2).
 */
export function allUnderstand(members: readonly Pick<Member, "info">[]): boolean {
  return members.every(({ info }) => info.protocol >= SAVING_PROTOCOL);
}
