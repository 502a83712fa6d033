import assert from "node:assert/strict";
import { test } from "node:test";
import { MISSED, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import { chooseUndo, followedUndo, idOf, type UndoChoice } from "../../src/engine/catch-up/undo-choice.ts";
import type { Publication, Scope } from "../../src/wire/publication.ts";

/** Which push `msync --undo` takes back. */

const SCOPE: Scope = {
  ...{ paths: ["www"], recursive: true, deletes: "also", syncs: false, sendsAttributes: false },
  ...{ isPartial: false, excludes: [], targets: [], excepts: [] },
};
const NODE = "aa".repeat(16);
const EPOCH = "bb".repeat(8);

function push(place: number, paths: readonly string[] = ["www"]): Publication {
  const names = { nodeId: NODE, epoch: EPOCH, number: place, user: "root", host: "web1" };
  return { ...names, place, timeMs: place, scope: { ...SCOPE, paths } };
}

/** What takes back another one. */
function undo(place: number, undone: Publication): Publication {
  const { nodeId, epoch, number, scope } = undone;
  return { ...push(place), scope, undoes: { nodeId, epoch, number } };
}

/** Such as "chosen 2" or "followed 1 by 3". */
function choiceOf(publications: readonly Publication[], id = ""): string {
  const choice: UndoChoice = chooseUndo(publications, id);
  const by = "by" in choice ? ` by ${choice.by.number}` : "";
  return "publication" in choice ? `${choice.kind} ${choice.publication.number}${by}` : choice.kind;
}

const [one, two, three] = [push(1), push(2), push(3)];
const numbered = (number: number) => `${EPOCH}-${number}`;

test("the last push that is not taken back is the next one, and one after the other before it", () => {
  const all = [one, two, three];
  assert.equal(choiceOf([]), "nothing");
  assert.equal(choiceOf(all), "chosen 3");
  all.push(undo(4, three));
  assert.equal(choiceOf(all), "chosen 2");
  all.push(undo(5, two));
  assert.equal(choiceOf(all.toReversed()), "chosen 1");
  all.push(undo(6, one));
  assert.equal(choiceOf(all), "nothing");
});

test("an undo can be taken back by its id, and then the push again", () => {
  const all = [one, two, undo(3, two)];
  assert.equal(choiceOf(all, numbered(3)), "chosen 3");
  assert.equal(choiceOf(all, numbered(2)), "undone 2 by 3");
  all.push(undo(4, all[2] as Publication));
  assert.equal(choiceOf(all), "chosen 4", "what has brought the push again is what is taken back");
  assert.equal(choiceOf(all, numbered(2)), "chosen 4");
  assert.equal(choiceOf(all, numbered(3)), "undone 3 by 4");
  assert.equal(
    choiceOf(all, numbered(1)),
    "followed 1 by 2",
    "taking that back takes back what has brought it again",
  );
});

test("a later push of the same paths that is in effect is in the way, and no other one", () => {
  const elsewhere = push(4, ["etc"]);
  assert.equal(choiceOf([one, two], numbered(1)), "followed 1 by 2");
  assert.equal(choiceOf([one, elsewhere], numbered(1)), "chosen 1");
  assert.equal(choiceOf([one, push(2, ["www/below"])], numbered(1)), "followed 1 by 2");
  // Both leave everything as it was before them.
  assert.equal(choiceOf([one, two, undo(3, two)], numbered(1)), "chosen 1");
  assert.equal(choiceOf([two, three, undo(5, push(1))], numbered(3)), "followed 3 by 5");
});

test("the beginning of an id is enough if there is no other, and a whole id is never the beginning of another", () => {
  const all = [push(1, ["a"]), push(12, ["b"])];
  assert.equal(choiceOf(all, numbered(1)), "chosen 1");
  assert.equal(choiceOf(all, numbered(12)), "chosen 12");
  assert.equal(choiceOf(all, "bbbb"), "ambiguous");
  assert.equal(choiceOf(all, "cc"), "unknown");
  assert.equal(idOf(push(12)), numbered(12));
});

test("a publication that takes back another covers none, and what was covered is remembered", () => {
  const log = new PublicationLog({ hostName: "web1", ip: "10.0.0.1", labels: [] });
  const here = { atMs: 1, list: "x", reason: "" };
  for (const each of [one, two]) log.add(each, here);
  log.add(undo(3, two), MISSED);
  const numbers = (kept: PublicationLog["all"]) => kept.map(({ publication }) => publication.number);
  assert.deepEqual([numbers(log.former), numbers(log.all)], [[1], [2, 3]]);
  assert.deepEqual(log.missing, [1]);
  // One that was covered before it was heard of.
  log.add(push(0), here);
  assert.deepEqual(
    [numbers(log.former), numbers(log.all)],
    [
      [1, 0],
      [2, 3],
    ],
  );
  log.add(push(9), here);
  assert.deepEqual([numbers(log.former), numbers(log.all)], [[1, 0, 2, 3], [9]]);
});

test("a host follows an undo if it lacks nothing else, and has had the push", () => {
  const here = { atMs: 1, list: "", reason: "" };
  const taken = undo(3, two);
  const logOf = (...kept: readonly (readonly [Publication, typeof here | typeof MISSED])[]) => {
    const log = new PublicationLog({ hostName: "web2", labels: [], ip: "10.0.0.2" });
    for (const [publication, state] of kept) log.add(publication, state);
    return log;
  };
  const names = { undo: numbered(3), undone: numbered(2) };
  assert.equal(followedUndo(undefined), undefined);
  assert.deepEqual(followedUndo(logOf([two, here], [taken, MISSED])), names);
  const other = push(4, ["etc"]);
  assert.deepEqual(followedUndo(logOf([two, here], [taken, MISSED], [other, here])), names);
  assert.equal(
    followedUndo(logOf([two, here], [taken, MISSED], [other, MISSED])),
    undefined,
    "it lacks more",
  );
  assert.equal(followedUndo(logOf([two, MISSED], [taken, MISSED])), undefined, "it never had the push");
  assert.equal(followedUndo(logOf([taken, MISSED])), undefined, "nor does it know it");
  assert.equal(followedUndo(logOf([two, here], [three, MISSED])), undefined, "it lacks a push");
  assert.equal(followedUndo(logOf([two, here], [taken, here])), undefined);
});
