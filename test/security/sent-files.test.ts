import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { NOBODY, whileRacing } from "../support/racer.ts";
import { StagingPair } from "../support/staging.ts";
import { asRoot, race } from "./places.ts";

/** A closed file of root never arrives as a file that somebody else may read, whoever exchanges names while it is sent. */

/** Several pieces for each file: it may be exchanged between any two of them. */
const SIZE_BYTES = 300_000;

/** Two names of one directory are exchanged, in three renames. The sizes and the times of both files are the same. */
const EXCHANGE = `
  const [directory] = given;
  const at = (name) => directory + "/" + name;
  attempt(() => fs.renameSync(at("mine"), at("aside")));
  attempt(() => fs.renameSync(at("secret"), at("mine")));
  attempt(() => fs.renameSync(at("aside"), at("secret")));`;

test(
  "a closed file that is exchanged for an open one while it is sent stays closed",
  asRoot,
  async (context) => {
    const pair = new StagingPair();
    context.after(() => pair.destroy());
    fs.chmodSync(pair.directory, 0o755);
    const directory = path.join(pair.from, "d");
    fs.mkdirSync(directory);
    fs.chownSync(directory, NOBODY, NOBODY);
    for (const [name, letter, owner, mode] of [
      ["mine", "m", NOBODY, 0o644],
      ["secret", "s", 0, 0o600],
    ] as const) {
      const file = path.join(directory, name);
      fs.writeFileSync(file, Buffer.alloc(SIZE_BYTES, letter), { mode });
      fs.chownSync(file, owner, owner);
      fs.utimesSync(file, 1_600_000_000, 1_600_000_000);
    }
    let arrived = 0;
    let turns = 0;
    const push = () => {
      fs.rmSync(path.join(pair.to, "d"), { recursive: true, force: true });
      try {
        pair.push();
      } catch {
        // A name vanishes in the middle.
      }
      arrived += checkArrived(path.join(pair.to, "d"));
    };
    await whileRacing(EXCHANGE, [directory], async () => (turns = await race(push)));
    const withdrawn = pair.notices.filter(({ reason }) => reason.code === "changed-while-sent").length;
    context.diagnostic(`${turns} pushes, ${arrived} files arrived, ${withdrawn} were withdrawn`);
    assert.ok(turns > 10 && arrived > 0 && withdrawn > 0, `${turns} ${arrived} ${withdrawn}`);
  },
);

/** @returns how many files have arrived */
function checkArrived(directory: string): number {
  if (!fs.existsSync(directory)) return 0;
  const names = fs.readdirSync(directory);
  for (const name of names) {
    const file = path.join(directory, name);
    const { uid, mode } = fs.statSync(file);
    const letters = new Set(fs.readFileSync(file));
    assert.equal(letters.size, 1, `${name} is a mixture`);
    const isSecret = letters.has("s".charCodeAt(0));
    assert.deepEqual([uid, mode & 0o777], isSecret ? [0, 0o600] : [NOBODY, 0o644], name);
  }
  return names.length;
}
