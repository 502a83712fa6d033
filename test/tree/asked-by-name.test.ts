import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import { StagingPair } from "../support/staging.ts";

/** A path that was asked for by its name and is not sent is an error, although a walk would pass over it. */

const OTHER = 12;
const asRoot = process.getuid?.() === 0 ? {} : { skip: "owners can be set by root only" };

/** What a push names. */
function named(pair: StagingPair, paths: readonly string[]): string[] {
  pair.notices.length = 0;
  pair.push(paths);
  return pair.notices.map(({ kind, path: name, reason }) => `${kind} ${name} ${reason.code}`);
}

async function pairWithSocket(): Promise<{ pair: StagingPair; end: () => void }> {
  const pair = new StagingPair();
  fs.mkdirSync(path.join(pair.from, "d"));
  fs.writeFileSync(path.join(pair.from, "d/f"), "f");
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(path.join(pair.from, "d/socket"), resolve));
  return { pair, end: () => void server.close(() => pair.destroy()) };
}

test("a socket that is found is skipped, and one that was asked for is an error", async (context) => {
  const { pair, end } = await pairWithSocket();
  context.after(end);
  assert.deepEqual(named(pair, ["d"]), ["skipped d/socket socket"]);
  assert.deepEqual(named(pair, ["d/socket"]), ["unreadable d/socket socket"]);
});

test("a path that another one covers is asked for all the same", async (context) => {
  const { pair, end } = await pairWithSocket();
  context.after(end);
  assert.deepEqual(named(pair, ["d", "d/socket", "d/f", "d/none"]), [
    "unreadable d/socket socket",
    "unreadable d/none ENOENT",
    "skipped d/socket socket",
  ]);
  pair.scanRules = { excludes: ["f"] };
  assert.deepEqual(named(pair, ["d", "d/f"]), ["excluded d/f pattern-matches", "skipped d/socket socket"]);
});

test(
  "an entry of another owner that was asked for is an error, but not a directory with everything in it",
  asRoot,
  (context) => {
    const pair = new StagingPair();
    context.after(() => pair.destroy());
    fs.mkdirSync(path.join(pair.from, "theirs"));
    fs.writeFileSync(path.join(pair.from, "theirs/own"), "own");
    fs.writeFileSync(path.join(pair.from, "alien"), "alien");
    for (const name of ["theirs", "alien"]) fs.chownSync(path.join(pair.from, name), OTHER, OTHER);
    pair.scanRules = { ownedBy: 0 };
    assert.deepEqual(named(pair, ["alien", "theirs"]), [
      "unreadable alien other-owner",
      "skipped theirs other-owner",
    ]);
  },
);
