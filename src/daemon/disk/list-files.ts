/** Reads the lists of paths that publications have brought (PROTOCOL.md 9.4), which lie in the state directory. */
import { readOwnFile } from "../../sys/own-files.ts";

/** More than all lists may have together. */
const MOST_BYTES = 1024 * 1024 * 1024;

/**
 * The bytes of a list. A FIFO in its place would hold the thread for ever, and with it all pushes.
 *
 * @returns none if there is no such file, or something else in its place: that is no list
 * @throws an error with a code, as node:fs does, if it cannot be read
 */
export function readListFile(file: string): Buffer {
  return readOwnFile(file, MOST_BYTES) ?? Buffer.alloc(0);
}
