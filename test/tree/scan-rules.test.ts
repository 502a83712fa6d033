import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { finish } from "../../src/base/steps.ts";
import { contents, StagingPair } from "../support/staging.ts";

/** The entries that the sender leaves out by their owner, and the group that it gives to the others. */

// A user and a group that differ from those of the test; any numbers would do.
const OTHER = 12;
const GROUP = 34;

const isRoot = process.getuid?.() === 0;
const options = isRoot ? {} : { skip: "owners can be set by root only" };

function makePair(): { pair: StagingPair; at: (name: string) => string } {
  const pair = new StagingPair();
  return { pair, at: (name) => path.join(pair.from, name) };
}

test("what belongs to others is not sent, but what is in their directories is", options, (context) => {
  const { pair, at } = makePair();
  context.after(() => pair.destroy());
  for (const name of ["theirs/deep/empty", "theirs/deep/own", "own/theirs"])
    fs.mkdirSync(at(name), { recursive: true });
  for (const name of ["theirs/deep/own/f", "theirs/deep/g", "own/h", "alien"])
    fs.writeFileSync(at(name), name);
  for (const name of ["theirs", "theirs/deep", "theirs/deep/empty", "theirs/deep/g", "own/theirs", "alien"])
    fs.chownSync(at(name), OTHER, OTHER);
  pair.scanRules = { ownedBy: 0 };
  pair.push();
  const expected = ["own", "own/h", "theirs", "theirs/deep", "theirs/deep/own", "theirs/deep/own/f"];
  assert.deepEqual(Object.keys(contents(pair.to)).sort(), expected);
  const named = pair.notices.filter(({ kind }) => kind === "skipped").map((notice) => notice.path);
  assert.deepEqual(named.sort(), [
    "alien",
    "own/theirs",
    "theirs",
    "theirs/deep",
    "theirs/deep/empty",
    "theirs/deep/g",
  ]);
  // An existing directory keeps its attributes.
  fs.chmodSync(path.join(pair.to, "theirs"), 0o711);
  fs.writeFileSync(at("theirs/new"), "new");
  pair.push();
  assert.equal(fs.statSync(path.join(pair.to, "theirs")).mode & 0o777, 0o711);
  assert.equal(contents(pair.to)["theirs/new"], "new");
});

test(
  "everything is given the group first, links too, and nothing that a link points to",
  options,
  (context) => {
    const { pair, at } = makePair();
    context.after(() => pair.destroy());
    const outside = path.join(pair.directory, "outside");
    fs.writeFileSync(outside, "outside");
    fs.mkdirSync(at("d"));
    fs.writeFileSync(at("d/f"), "f");
    fs.symlinkSync(outside, at("link"));
    fs.writeFileSync(at("left.log"), "left");
    const groups = (directory: string) =>
      ["d", "d/f", "link"].map((name) => fs.lstatSync(path.join(directory, name)).gid);
    pair.scanRules = { group: GROUP, excludes: ["*.log"] };
    finish(pair.stage([""], true).clean());
    assert.deepEqual(groups(pair.from), [0, 0, 0], "a dry run changes nothing");
    assert.equal(pair.wanted, 3);
    pair.push();
    assert.deepEqual(
      [groups(pair.from), groups(pair.to)],
      [
        [GROUP, GROUP, GROUP],
        [GROUP, GROUP, GROUP],
      ],
    );
    assert.deepEqual([fs.statSync(outside).gid, fs.statSync(at("left.log")).gid], [0, 0]);
    const before = pair.wanted;
    pair.push();
    assert.equal(pair.wanted, before, "and then there is nothing to do");
  },
);

test(
  "where owners are not kept, a group is all the same where the process belongs to it",
  options,
  (context) => {
    const { pair, at } = makePair();
    context.after(() => pair.destroy());
    Object.assign(pair.rules, { keepOwner: false, ownGroups: new Set([GROUP]) });
    fs.mkdirSync(at("shared"));
    for (const name of ["shared/ours", "shared/theirs"]) fs.writeFileSync(at(name), name);
    fs.symlinkSync("ours", at("shared/link"));
    for (const name of ["shared", "shared/ours", "shared/link"]) fs.lchownSync(at(name), OTHER, GROUP);
    fs.chownSync(at("shared/theirs"), OTHER, OTHER);
    fs.chmodSync(at("shared"), 0o2775);
    pair.push();
    const owner = (name: string) => {
      const { uid, gid } = fs.lstatSync(path.join(pair.to, name));
      return [uid, gid];
    };
    for (const name of ["shared", "shared/ours", "shared/link"])
      assert.deepEqual(owner(name), [0, GROUP], name);
    assert.deepEqual(owner("shared/theirs")[0], 0);
    assert.equal(fs.statSync(path.join(pair.to, "shared")).mode & 0o7777, 0o2775);
    pair.wanted = 0;
    pair.push();
    assert.equal(pair.wanted, 0);
    fs.chownSync(path.join(pair.to, "shared/ours"), 0, 0);
    pair.push();
    assert.deepEqual(owner("shared/ours"), [0, GROUP]);
  },
);
