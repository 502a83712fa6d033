import fs from "node:fs";
import readline from "node:readline";
import { finish } from "../../src/base/steps.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { describeTree } from "../fuzz-trees/describe.ts";
import { changeAtRandom } from "../fuzz-trees/random-changes.ts";
import { carryOut, StagingPair } from "../support/staging.ts";

/**
 * The process that pushes while another one takes copies of the disk: `node real-push.ts FROM TO SEED`. For each line that
 * it reads it changes the tree FROM, says `begin` with the tree that comes, pushes it, and says `ready` and `done` as
 * a member does.
 */

/** Enough for a push of some tens of milliseconds, with several files, links and directories. */
const CHANGES = 60;

const [from = "", to = "", seed = "0"] = process.argv.slice(2);
const random = new SeededRandom(Number(seed));
const pair = new StagingPair(undefined, to);
const own = pair.from;
Object.assign(pair, { from });
pair.scanRules = { deletes: "also", isForced: true, sendsAttributes: true };

/** At once: what has been said must not wait in a buffer. */
const say = (word: string, more: object = {}) => fs.writeSync(1, `${JSON.stringify({ word, ...more })}\n`);

for await (const _ of readline.createInterface({ input: process.stdin })) {
  changeAtRandom(random, from, CHANGES);
  say("begin", { tree: describeTree(from) });
  const stage = pair.stage();
  stage.prepare();
  say("ready");
  const failure = carryOut(stage);
  say("done", { failure });
  finish(stage.clean());
  say("end");
}
Object.assign(pair, { from: own });
pair.destroy();
