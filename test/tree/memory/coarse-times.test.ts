import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Directories } from "../../../src/tree/disk/directories.ts";
import { findKeptTimes, keptTime, type KeptTimes } from "../../../src/tree/disk/kept-times.ts";
import { failKind } from "../../disk/faults.ts";
import { directory, file, Member, meta, symlink } from "./member.ts";

/** Members whose file system cannot hold the sender's times. */

const SECOND = 1_000_000_000n;
const TIME = 1_700_000_001n * SECOND + 123_456_789n;

/** What real file systems keep: ext4 with small inodes, NTFS, FAT. */
const KEPT: Record<string, KeptTimes> = {
  "ext4 with whole seconds": {
    granularityNs: SECOND,
    earliestNs: -2_147_483_648n * SECOND,
    latestNs: 2_147_483_647n * SECOND,
  },
  ntfs: { granularityNs: 100n, earliestNs: undefined, latestNs: undefined },
  fat: {
    granularityNs: 2n * SECOND,
    earliestNs: 315_532_800n * SECOND,
    latestNs: 4_354_819_198n * SECOND,
  },
};

const all = (mtimeNs: bigint) => [
  file("f", 5, { metadata: meta(0o644, { mtimeNs }) }),
  directory("d", { metadata: meta(0o755, { mtimeNs }) }),
  symlink("l", "target", { metadata: meta(0o777, { mtimeNs }) }),
];

/** How many entries of a second push would change. */
function wantedAgain(keptTimes: KeptTimes | undefined, firstNs: bigint, secondNs: bigint): number {
  const member = new Member(keptTimes === undefined ? {} : { keptTimes });
  member.push().bring("", all(firstNs)).prepare().commit();
  const { changes } = member.memory;
  const wanted = member.push("t-2", { dryRun: true }).entries("", all(secondNs)).wants.count();
  assert.equal(member.has(".makuosan"), false);
  if (keptTimes === undefined) assert.equal(member.memory.changes, changes, "nothing is tried without need");
  return wanted;
}

describe("a time that the file system cannot hold", () => {
  for (const [name, kept] of Object.entries(KEPT))
    test(`${name}: is found to be the same by the next push`, () => {
      for (const timeNs of [
        TIME,
        -3n * SECOND - 1n,
        -5_000_000_000n * SECOND + 7n,
        9_000_000_000n * SECOND + 7n,
      ])
        assert.equal(wantedAgain(kept, timeNs, timeNs), 0, String(timeNs));
    });

  for (const [name, kept] of Object.entries(KEPT))
    test(`${name}: is another one as soon as the stored one is`, () => {
      for (const [first, second] of [
        [TIME, TIME + 2n * SECOND],
        [TIME, TIME - 2n * SECOND],
        [TIME, 9_000_000_000n * SECOND],
      ] as const)
        assert.equal(wantedAgain(kept, first, second), 3, `${first} ${second}`);
    });
});

const FINE: KeptTimes = { granularityNs: 1n, earliestNs: undefined, latestNs: undefined };

test("where times are fine, each nanosecond counts, also beside a whole second", () => {
  assert.equal(wantedAgain(undefined, TIME, TIME + 1n), 3);
  assert.equal(wantedAgain(undefined, TIME, TIME - 89n), 3);
  assert.equal(wantedAgain(FINE, 1_000n * SECOND, 1_000n * SECOND + 1n), 3);
});

describe("what a file system keeps", () => {
  test("is found by trying", () => {
    for (const kept of [...Object.values(KEPT), FINE]) {
      const member = new Member({ keptTimes: kept, hasUnnamedFiles: kept !== KEPT["ntfs"] });
      const found = member.in("", (root, disk) => findKeptTimes(disk, root));
      for (const timeNs of [TIME, -TIME, 0n, -9_200_000_000_000_000_000n, 9_200_000_000_000_000_000n])
        assert.equal(keptTime(timeNs, found!), keptTime(timeNs, kept));
    }
  });

  test("is taken for all where it cannot be tried, and is tried again for the next transfer", () => {
    const member = new Member({ keptTimes: KEPT["ntfs"]!, hasUnnamedFiles: false });
    member
      .push()
      .bring("", [file("f", 5, { metadata: meta(0o644, { mtimeNs: TIME }) })])
      .prepare()
      .commit();
    const base = Directories.at(member.memory, "/");
    const stats = base.stat("f")!;
    member.memory.before = failKind("makeDirectory", "EROFS");
    assert.equal(base.keptTime(stats, TIME), TIME);
    member.memory.before = undefined;
    assert.equal(base.keptTime(stats, TIME), TIME);
    base.forgetAll();
    assert.equal(base.keptTime(stats, TIME), stats.mtimeNs);
    base.close();
  });

  test("is tried beside something that is staged, which stays", () => {
    const member = new Member({ keptTimes: KEPT["ntfs"]!, hasUnnamedFiles: false });
    member.push().bring("", all(TIME)).prepare().commit();
    const staged = member.push("t-2").bring("", [file("g", 3)]);
    const metadata = meta(0o644, { mtimeNs: TIME });
    assert.equal(staged.entries("", [file("f", 5, { metadata })]).wants.count(), 0);
    staged.prepare().commit();
    assert.equal(member.text("g"), "ggg");
  });
});
