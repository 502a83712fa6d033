/** Chooses how the contents of a transfer are sent: compressed, or not at all if members have them by other names. */
import type { Member } from "../../engine/types.ts";
import type { SendRequest } from "../../console/protocol.ts";
import type { CompressionMode } from "../../tree/entries/compression.ts";

/** The version of the protocol that brought compressed segments and digests of single files. */
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
 * Whether all members understand compressed segments, and digests of files that they may have by other names (PROTOCOL.md
 * 4.2).
 */
export function allUnderstand(members: readonly Pick<Member, "info">[]): boolean {
  return members.every(({ info }) => info.protocol >= SAVING_PROTOCOL);
}
