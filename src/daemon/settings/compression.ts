/** The words of the setting `compress`. */
import { UserError } from "../../base/user-error.ts";
import type { CompressionMode } from "../../tree/entries/compression.ts";

export const COMPRESSION_MODES: readonly CompressionMode[] = ["auto", "yes", "no"];

/** @throws UserError for any other word */
export function parseCompression(text: string): CompressionMode {
  const mode = COMPRESSION_MODES.find((one) => one === text);
  if (mode === undefined) throw new UserError(`compress is '${text}': give auto, yes or no`);
  return mode;
}
