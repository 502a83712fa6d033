import { below, fraction, type Random } from "../../src/base/random.ts";
import type { DeleteLimit } from "../../src/tree/decide/superfluous.ts";
import { NO_RULES, type ScanRules } from "../../src/tree/scan/request.ts";
import type { MemoryDiskOptions } from "../disk/memory-machine.ts";
import type { Push } from "./host.ts";
import { drawOwnPath, drawSharedPath } from "./local-edits.ts";
import type { StageSettings } from "./stage-driver.ts";

/** What fleets consist of, drawn from a seed. */

const FIRST_TIME_NS = 1_800_000_000_000_000_000n;
const MS_NS = 1_000_000n;
/** Clocks of hosts differ by up to a day. */
const DAY_MS = 86_400_000;
const AMPLE: DeleteLimit = { entries: 1000, percent: 100 };
const FULL_BLOCK_BYTES = 61_600;
const LEAST_BLOCK_BYTES = 2_200;

export function drawDisk(random: Random, nowMs: () => number): MemoryDiskOptions {
  const aheadNs = BigInt(below(random, DAY_MS)) * MS_NS;
  let ticksNs = 0n;
  return {
    crashModel: fraction(random) < 0.5 ? "ordered" : "unordered",
    clock: () => FIRST_TIME_NS + aheadNs + BigInt(Math.floor(nowMs())) * MS_NS + ++ticksNs,
    canExchange: fraction(random) < 0.8,
    canSyncFileSystem: fraction(random) < 0.8,
    hasExactTimes: true,
  };
}

export function drawSettings(random: Random): StageSettings {
  const deleteLimit = fraction(random) < 0.3 ? { entries: 2, percent: undefined } : AMPLE;
  return { deleteLimit, listsChanges: fraction(random) < 0.5 };
}

/** Paths to be edited before a transfer: of what is shared, and of a directory of its own. */
export function drawEdits(random: Random, own: string | undefined, most: number, isOwn = false): string[] {
  const count = 1 + below(random, most);
  return Array.from({ length: count }, () =>
    own !== undefined && (isOwn || fraction(random) < 0.5)
      ? drawOwnPath(random, own)
      : drawSharedPath(random),
  );
}

/** Any push that somebody may think of. */
export function drawPush(random: Random, own: string): Push {
  const chance = fraction(random);
  const rules = drawRules(random);
  let paths = [own];
  let recursive = true;
  if (chance < 0.3) paths = ["s"];
  else if (chance < 0.6) paths = [own, "s"];
  else if (chance < 0.65) paths = [""];
  else if (chance < 0.85) {
    recursive = false;
    paths = Array.from({ length: 1 + below(random, 5) }, () => drawSharedPath(random));
  }
  return { ...drawManner(random, rules.isCheck), request: { paths, recursive }, rules };
}

/** A push of something that nobody else has, so that nothing can be in its way. */
export function ownPush(random: Random, own: string): Push {
  const request = { paths: [own], recursive: true };
  return { ...drawManner(random, false), request, rules: { ...NO_RULES, deletes: "also", isForced: true } };
}

/** Everything that a host has, and nothing else. */
export function wholePush(): Push {
  return {
    request: { paths: [""], recursive: true },
    rules: { ...NO_RULES, deletes: "also", isForced: true },
    dryRun: false,
    allOrNothing: true,
    blockBytes: FULL_BLOCK_BYTES,
  };
}

function drawManner(random: Random, isCheck: boolean): Omit<Push, "request" | "rules"> {
  const isSmall = fraction(random) < 0.7;
  return {
    dryRun: isCheck || fraction(random) < 0.1,
    allOrNothing: fraction(random) < 0.3,
    blockBytes: isSmall ? LEAST_BLOCK_BYTES + below(random, 4_000) : FULL_BLOCK_BYTES,
  };
}

function drawRules(random: Random): ScanRules {
  const chance = fraction(random);
  const deletes = chance < 0.5 ? "nothing" : chance < 0.9 ? "also" : "only";
  return {
    ...NO_RULES,
    deletes,
    syncs: fraction(random) < 0.3,
    isForced: fraction(random) < 0.5,
    comparesContents: fraction(random) < 0.2,
    isCheck: fraction(random) < 0.07,
  };
}
