/** Where a symbolic link points. */
import fs from "node:fs";
import { entryPath } from "../../sys/entry-path.ts";

/** Where a symbolic link points, as a byte string. */
export function readTarget(directory: number, name: string): string {
  return fs.readlinkSync(entryPath(directory, name), { encoding: "buffer" }).toString("latin1");
}
