import { below, SeededRandom } from "../../src/base/random.ts";
import { recover } from "../../src/tree/apply/recovery.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { failAt, PowerFailure, stopAt } from "../disk/faults.ts";
import type { MemoryDisk } from "../disk/memory-disk.ts";
import type { CrashModel } from "../disk/journal.ts";
import { check } from "../simulation/check.ts";
import { DeletesLast } from "./deletes-last.ts";
import { isStaged, MemoryPush, treeOf } from "./push.ts";

/**
 * The test of one seed: a random push, a loss of power at a random call, and a start after it. Then the same push runs
 * with a disk that fails at a random call. Throws OracleError if a tree is a mixture, or if a report is wrong.
 */

const MODELS: readonly CrashModel[] = ["ordered", "unordered"];
/** Losses of power for one push; chosen without measurement. */
const LOSSES = 6;
const CODES = ["EIO", "ENOSPC", "EROFS"];

export function runDurabilitySeed(seed: number): void {
  const random = new SeededRandom(seed);
  const options = {
    crashModel: MODELS[below(random, 2)] ?? "ordered",
    canExchange: below(random, 4) !== 0,
  };
  const whole = new MemoryPush(seed, options);
  const first = whole.to.changes;
  const watch = new DeletesLast(whole);
  whole.to.before = (call) => watch.look(call);
  whole.run();
  whole.to.before = undefined;
  check(whole.failure === undefined, "a push without faults fails");
  check(treeOf(whole.to) === whole.after, "a push without faults brings another tree");
  const changes = whole.to.changes - first;
  for (let loss = 0; loss < LOSSES; loss++) {
    losePower(new MemoryPush(seed, options), first + 1 + below(random, changes + 1), random);
    failOnce(
      new MemoryPush(seed, options),
      first + 1 + below(random, changes),
      CODES[below(random, 3)] ?? "EIO",
    );
  }
}

/** @param at the loss of power comes before this change */
function losePower(push: MemoryPush, at: number, random: SeededRandom): void {
  push.to.before = stopAt(at);
  try {
    push.run();
  } catch (error) {
    if (!(error instanceof PowerFailure)) throw error;
  }
  const found = push.to.crash(random);
  judgeStart(push, found);
  const tree = treeOf(found);
  const where = `power lost before change ${at}, ${push.phase}`;
  const isOld = tree === push.before;
  const isNew = tree === push.after;
  check(isOld || isNew, `${where}: the tree is a mixture\n${differences(push, tree)}`);
  check(
    isNew || push.phase === "staging" || push.phase === "prepared" || push.phase === "committing",
    `${where}: it was said to be new, and is old`,
  );
  check(
    isOld || push.phase === "committing" || push.phase === "committed" || push.phase === "cleaned",
    `${where}: it is new before the order`,
  );
}

/** Checks the result of the next start. */
function judgeStart(push: MemoryPush, disk: MemoryDisk): void {
  for (const { name, failure } of recover(Directories.at(disk, "/"), push.rules))
    check(
      failure === undefined,
      `${name} cannot be finished: ${failure?.code} ${failure?.path} ${failure?.args.join()}`,
    );
  check(!isStaged(disk), "something staged is left after a start");
}

/** The disk rejects one change. */
function failOnce(push: MemoryPush, at: number, code: string): void {
  push.to.before = failAt(at, code);
  let thrown: unknown;
  try {
    push.run();
  } catch (error) {
    thrown = error;
  }
  push.to.before = undefined;
  const { phase, failure } = push;
  const where = `${code} at change ${at}, ${phase}, ${failure?.when ?? String(thrown)}`;
  // The next start removes what could not be removed.
  if (isStaged(push.to)) judgeStart(push, push.to);
  // An attribute that cannot be set is reported, and the transfer continues.
  if (push.notes > 0) return;
  const tree = treeOf(push.to);
  if (phase === "staging" || failure?.when === "before")
    check(tree === push.before, `${where}: something has changed`);
  else if (failure?.when !== "during")
    check(tree === push.after, `${where}: the tree is not new\n${differences(push, tree)}`);
}

function differences(push: MemoryPush, tree: string): string {
  const [before, after] = [push.before, push.after].map((one) => new Set(one.split("\n")));
  return tree
    .split("\n")
    .map(
      (line) => `${before?.has(line) === true ? "o" : "-"}${after?.has(line) === true ? "n" : "-"} ${line}`,
    )
    .join("\n");
}
