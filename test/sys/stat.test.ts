import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { below, fraction, SeededRandom } from "../../src/base/random.ts";
import { nanosecondsOf } from "../../src/sys/nanoseconds.ts";
import { type FileStats, statDescriptor, statEntry } from "../../src/sys/stat.ts";
import { StatsRows } from "../../src/sys/stats-rows.ts";
import { temporaryDirectory } from "./support.ts";

/** The facts that node:fs knows as well. */
function known(stats: fs.BigIntStats) {
  const { mode, size, blocks, mtimeNs, ctimeNs, uid, gid, nlink, ino } = stats;
  const numbers = [mode, size, blocks, uid, gid, nlink].map(Number);
  return [...numbers, mtimeNs, ctimeNs, ino];
}

function found(stats: FileStats | undefined) {
  assert.ok(stats !== undefined);
  const { mode, size, blocks, uid, gid, links, mtimeNs, ctimeNs, inode } = stats;
  return [mode, size, blocks, uid, gid, links, mtimeNs, ctimeNs, inode];
}

function check(context: TestContext, make: (file: string) => void): FileStats {
  const directory = temporaryDirectory(context);
  const file = path.join(directory, "entry");
  make(file);
  const handle = fs.openSync(directory, "r");
  try {
    const stats = statEntry(handle, "entry");
    assert.deepEqual(found(stats), known(fs.lstatSync(file, { bigint: true })));
    assert.deepEqual(found(statDescriptor(handle)), known(fs.statSync(directory, { bigint: true })));
    assert.equal(statEntry(handle, "missing"), undefined);
    checkRows(stats as FileStats, statDescriptor(handle));
    return stats as FileStats;
  } finally {
    fs.closeSync(handle);
  }
}

/** All that stats say. */
function everything(stats: FileStats) {
  const { device, deviceId, mount, hasMount, isImmutable, isAppendOnly } = stats;
  return [...found(stats), device, deviceId, mount, hasMount, isImmutable, isAppendOnly];
}

/** Stats are the same again when they come out of rows, between others, absent ones, and ones of another class. */
function checkRows(...all: readonly FileStats[]): void {
  const rows = new StatsRows();
  const mixed = Array.from({ length: 300 }, (_, index) => {
    const stats = all[index % all.length];
    return index % 7 === 0 ? undefined : index % 5 === 0 ? ({ ...stats, size: index } as FileStats) : stats;
  });
  for (const stats of mixed) rows.add(stats);
  for (const [index, stats] of mixed.entries()) {
    if (stats === undefined) continue;
    if (index % 5 === 0) assert.equal(rows.at(index), stats);
    else assert.deepEqual(everything(rows.at(index)), everything(stats));
  }
}

test("device nodes, too, come out of rows as they were", () => {
  for (const device of ["/dev/null", "/proc/self", "/dev/shm"]) {
    const handle = fs.openSync(path.dirname(device), "r");
    const stats = statEntry(handle, path.basename(device));
    fs.closeSync(handle);
    if (stats !== undefined) checkRows(stats);
  }
});

test("times in nanoseconds are exact, whatever the kernel says", () => {
  const random = new SeededRandom(7);
  const exact = (seconds: bigint, rest: number) => seconds * 1_000_000_000n + BigInt(rest);
  const edges = [
    0n,
    1n,
    65_535n,
    65_536n,
    2n ** 31n,
    2n ** 32n - 1n,
    9_000_000_000n,
    9_000_000_001n,
    2n ** 62n,
  ];
  const others = Array.from({ length: 5_000 }, () =>
    BigInt(Math.floor(fraction(random) * 2 ** (1 + below(random, 40)))),
  );
  for (const positive of [...edges, ...others]) {
    for (const seconds of [positive, -positive, -positive - 1n]) {
      const [low, high] = [Number(BigInt.asIntN(32, seconds)), Number(BigInt.asIntN(32, seconds >> 32n))];
      for (const rest of [0, 1, 999_999_999, below(random, 1_000_000_000)])
        assert.equal(nanosecondsOf(low, high, rest), exact(seconds, rest));
    }
  }
});

test("the stats of a file are those of the kernel", (context) => {
  const stats = check(context, (file) => {
    fs.writeFileSync(file, "contents");
    fs.utimesSync(file, 1_700_000_000.123456, 1_700_000_000.123456);
  });
  assert.deepEqual([stats.isFile(), stats.isDirectory(), stats.isSymbolicLink()], [true, false, false]);
  assert.deepEqual([stats.hasMount, stats.isImmutable, stats.isAppendOnly], [false, false, false]);
});

test("times before 1970, and large sizes", (context) => {
  const stats = check(context, (file) => {
    fs.writeFileSync(file, "");
    fs.truncateSync(file, 2 ** 33 + 5);
    // Node takes a negative number for the present.
    execFileSync("touch", ["-d", "@-1.5", file]);
  });
  assert.deepEqual([stats.size, stats.mtimeNs], [2 ** 33 + 5, -1_500_000_000n]);
});

test("the stats of a symbolic link are its own", (context) => {
  const stats = check(context, (file) => fs.symlinkSync("/", file));
  assert.ok(stats.isSymbolicLink());
});
