import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileStats } from "../../src/sys/stat.ts";
import { OwnReadings } from "../../src/tree/decide/own-readings.ts";

function stats(inode: bigint, links: number, mount = 1): FileStats {
  return { device: 1, mount, inode, links, size: 9, ctimeNs: 5n } as FileStats;
}

test("a file is read once for each of its names, beside others", () => {
  const readings = new OwnReadings();
  const given = new Map<number, number>();
  for (let round = 0; round < 200; round++)
    for (const links of [0, 1, 2, 3, 7, 8, 100])
      if (readings.mayRead(stats(BigInt(links), links))) given.set(links, (given.get(links) ?? 0) + 1);
  assert.deepEqual(
    [...given],
    [
      [0, 1],
      [1, 1],
      [2, 2],
      [3, 3],
      [7, 7],
      [8, 8],
      [100, 100],
    ],
  );
});

test("a file is read in each place where its directory is mounted", () => {
  const readings = new OwnReadings();
  const may = [1, 2, 1, 2].map((mount) => readings.mayRead(stats(7n, 1, mount)));
  assert.deepEqual(may, [true, true, false, false]);
});
