import { decodeManifest } from "../../src/wire/manifest.ts";
import { STAGING_NAME } from "../../src/wire/path-rules.ts";
import type { MemoryDisk } from "../disk/memory-disk.ts";

/** What is in blocks and in staging areas, for oracles. */

export function pathsOf(manifest: Uint8Array): string[] {
  return decodeManifest(manifest).directories.flatMap(({ header, entries }) =>
    entries.map(({ name }) => (header.path === "" ? name : `${header.path}/${name}`)),
  );
}

/** Does something with the staging area of a transfer; undefined where there is none. */
export function withArea<T>(
  disk: MemoryDisk,
  name: string,
  use: (area: ReturnType<MemoryDisk["openRoot"]>) => T,
): T | undefined {
  const opened = [disk.openRoot("/")];
  try {
    for (const step of [STAGING_NAME, name]) {
      const parent = opened.at(-1);
      if (parent === undefined || disk.stat(parent, step) === undefined) return undefined;
      opened.push(disk.openDirectory(parent, step));
    }
    const area = opened.at(-1);
    return area === undefined ? undefined : use(area);
  } finally {
    for (const directory of opened) disk.closeDirectory(directory);
  }
}
