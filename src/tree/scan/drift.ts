/** Compares a tree with what was published: what somebody has changed, deleted or added by hand since. */
import { Bitmap } from "../../base/bitmap.ts";
import { BLOCK_PLAINTEXT_BYTES, BlockKind } from "../../wire/datagram.ts";
import type { Disk } from "../disk/disk.ts";
import { linuxDisk } from "../disk/linux-disk.ts";
import type { Owners } from "../entries/owners.ts";
import type { ScanRequest, ScanRules } from "./request.ts";
import type { Deviations } from "./deviations.ts";
import { Source } from "./source.ts";

/**
 * Looks for entries that are not as they were published. No contents are read: an entry has drifted if its inode has changed later
 * than its last publication took effect, if it is gone, or if it is new in a directory that publications have completed.
 *
 * @param rules with the lists of the publications
 * @throws UserError for an invalid request or invalid rules; an error if the tree cannot be read
 */
export function findDrift(
  base: string,
  owners: Owners,
  request: ScanRequest,
  rules: ScanRules,
  disk: Disk = linuxDisk,
): Deviations {
  const source = new Source(base, owners, request, { rules, dryRun: true }, undefined, disk);
  try {
    const memory = new Uint8Array(BLOCK_PLAINTEXT_BYTES);
    for (let block = 0; !source.isEnded; block++) {
      const made = source.makeBlock(block, memory);
      if (made?.kind !== BlockKind.manifest) continue;
      const nothing = new Bitmap(made.entries);
      source.settle(block, { union: nothing, contents: nothing });
    }
    return source.drift;
  } finally {
    source.close();
  }
}
