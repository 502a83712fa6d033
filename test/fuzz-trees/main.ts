import fs from "node:fs";
import path from "node:path";
import { finish } from "../../src/base/steps.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { FILE_SYSTEMS, run, withFileSystem } from "../support/file-systems.ts";
import { carryOut, StagingPair } from "../support/staging.ts";
import { describeTree } from "./describe.ts";
import { changeAtRandom } from "./random-changes.ts";

/**
 * `make fuzz-trees`: pushes random trees beside `rsync -aHAX --delete`, on each file system that this host can mount, as
 * root. Both must leave the same tree. SECONDS= for each file system, SEED= of the first tree, FILE_SYSTEM= for one.
 */

/** Seconds for each file system, rounds of changes on one tree, and changes in a round: chosen for the time they take. */
const SECONDS = Number(process.env.SECONDS ?? 10);
const ROUNDS = 4;
const CHANGES = 40;

const failures: string[] = [];
for (const name of FILE_SYSTEMS) {
  if (![undefined, "", name].includes(process.env.FILE_SYSTEM)) continue;
  const result =
    run("rsync", "--version") === undefined
      ? withFileSystem(name, pushMany)
      : { skip: "there is no rsync here" };
  console.log(typeof result === "number" ? `${name}: ${result} pushes` : `${name}: skipped: ${result.skip}`);
}
for (const failure of failures) console.log(failure);
process.exitCode = failures.length === 0 ? 0 : 1;

/** @returns how many pushes were compared */
function pushMany(root: string): number {
  const endMs = performance.now() + SECONDS * 1000;
  const first = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  let pushes = 0;
  for (let seed = first; performance.now() < endMs; seed++) {
    const problem = pushSeed(root, seed);
    pushes += ROUNDS;
    if (problem === undefined) continue;
    failures.push(`seed ${seed} on ${root}: ${problem}\nrepeat it with: make fuzz-trees SEED=${seed}`);
    break;
  }
  return pushes;
}

function pushSeed(root: string, seed: number): string | undefined {
  const random = new SeededRandom(seed);
  const pair = new StagingPair(root);
  const other = path.join(pair.directory, "rsync");
  fs.mkdirSync(other);
  pair.scanRules = { deletes: "also", isForced: true, sendsAttributes: true };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      changeAtRandom(random, pair.from, CHANGES);
      // Something has also changed at the receiver; rsync gets the same tree.
      if (round % 2 === 1) changeAtRandom(random, pair.to, CHANGES / 4);
      const problem = pushBoth(pair, other);
      if (problem !== undefined) return `round ${round}: ${problem}`;
    }
    return undefined;
  } finally {
    pair.destroy();
  }
}

function pushBoth(pair: StagingPair, other: string): string | undefined {
  const made = rsync(pair.to, other) ?? rsync(pair.from, other);
  if (made !== undefined) return made;
  pair.notices = [];
  const stage = pair.stage();
  stage.prepare();
  const failure = carryOut(stage);
  finish(stage.clean());
  if (failure !== undefined) return `the commit failed: ${JSON.stringify(failure)}`;
  if (pair.notices.length > 0) return `not sent: ${JSON.stringify(pair.notices[0])}`;
  const got = describeTree(pair.to);
  const problem =
    difference("the sender", describeTree(pair.from), got) ??
    difference("rsync", inSeconds(describeTree(other)), inSeconds(got));
  if (problem !== undefined) return problem;
  pair.wanted = 0;
  finish(pair.stage([""], true).clean());
  return pair.wanted === 0 ? undefined : `${pair.wanted} entries would go again`;
}

function difference(name: string, wanted: readonly string[], got: readonly string[]): string | undefined {
  const missing = wanted.find((line) => !got.includes(line));
  const more = got.find((line) => !wanted.includes(line));
  if (missing === undefined && more === undefined) return undefined;
  return `${name} has ${missing ?? "nothing else"}, and the member has ${more ?? "nothing else"}`;
}

/** Times as rsync sets them of directories and links: it leaves a time that is right to the second. */
function inSeconds(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/"(-?\d+)\d{9}"/, '"$1"'));
}

function rsync(from: string, to: string): string | undefined {
  // Rounds follow each other within a second, and rsync does not see a change of a file in the same second.
  return run("rsync", "-aHAX", "--checksum", "--delete", `${from}/`, `${to}/`);
}
