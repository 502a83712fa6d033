/** Chooses whether the contents of a transfer are compressed. */
import type { Member } from "../../engine/types.ts";
import type { SendRequest } from "../../console/protocol.ts";
import type { CompressionMode } from "../../tree/entries/compression.ts";

/** The version of the protocol that brought compressed segments. */
const COMPRESSING_PROTOCOL = 3;

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
