import assert from "node:assert/strict";
import { test } from "node:test";
import { decodePublications } from "../../src/engine/catch-up/log-bytes.ts";
import { type Here, MISSED, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import type { Publication, Scope } from "../../src/wire/publication.ts";

/** Which publications a node keeps, lacks, and may hand on. */

const SELF = { hostName: "web1", ip: "10.0.0.1", labels: ["tokyo"] };
const OTHER = { hostName: "web2", ip: "10.0.0.2", labels: [] };
const HERE: Here = { atMs: 1, list: "a-1", reason: "" };

const PLAIN: Scope = {
  ...{ paths: ["www"], recursive: true, deletes: "nothing", syncs: false, sendsAttributes: true },
  ...{ isPartial: false, excludes: [], targets: [], excepts: [] },
};

function publication(place: number, changes: Partial<Scope> = {}): Publication {
  const names = { nodeId: "aa".repeat(16), epoch: "bb".repeat(8), number: place, user: "root", host: "web3" };
  return { ...names, place, timeMs: 1_000 * place, scope: { ...PLAIN, ...changes } };
}

function logOf(...kept: readonly (readonly [Publication, Here])[]): PublicationLog {
  const log = new PublicationLog(SELF);
  for (const [one, here] of kept) log.add(one, here);
  return log;
}

const placesOf = (log: PublicationLog) => log.all.map(({ publication: { place } }) => place);

test("nodes that know the same have the same log, whatever the order in which they have learned it", () => {
  const [first, second, third] = [1, 2, 3].map((place) => publication(place, { paths: [`d${place}`] }));
  const [one, other] = [new PublicationLog(SELF), new PublicationLog(OTHER)];
  for (const each of [first, second, third]) one.add(each as Publication, HERE);
  for (const each of [third, first, second]) other.add(each as Publication, MISSED);
  assert.deepEqual(placesOf(one), [1, 2, 3]);
  assert.equal(one.digest, other.digest);
  assert.deepEqual(decodePublications(one.bytes), [first, second, third]);
  assert.equal(one.highestPlace, 3);
  // The clock of a host that was set back says nothing.
  assert.notEqual(one.digest, logOf([publication(1), HERE]).digest);
});

test("a later publication covers an earlier one only if it leaves nothing of it", () => {
  const exact = { deletes: "also" } as const;
  const cases: readonly [string, Publication, Publication, boolean][] = [
    ["the tree again with its deletes", publication(1), publication(2, exact), true],
    ["the tree again without deletes", publication(1), publication(2), false],
    ["a tree above", publication(1, { paths: ["www/a"] }), publication(2, exact), true],
    ["a tree below", publication(1, exact), publication(2, { ...exact, paths: ["www/a"] }), false],
    ["a tree of a similar name", publication(1, { paths: ["www2"] }), publication(2, exact), false],
    ["the base directory", publication(1), publication(2, { ...exact, paths: [""] }), true],
    [
      "a file by its name again",
      publication(1, { paths: ["f"], recursive: false }),
      publication(2, { paths: ["f"], recursive: false }),
      true,
    ],
    ["with a further pattern", publication(1), publication(2, { ...exact, excludes: ["*.log"] }), false],
    ["for fewer hosts", publication(1), publication(2, { ...exact, targets: ["web2"] }), false],
    [
      "for the same hosts",
      publication(1, { targets: ["web2"] }),
      publication(2, { ...exact, targets: ["web2"] }),
      true,
    ],
    ["of some owners' files", publication(1), publication(2, { ...exact, isPartial: true }), false],
    ["without attributes", publication(1), publication(2, { ...exact, sendsAttributes: false }), false],
  ];
  for (const [what, earlier, later, isCovered] of cases) {
    assert.deepEqual(placesOf(logOf([earlier, HERE], [later, HERE])), isCovered ? [2] : [1, 2], what);
    assert.deepEqual(placesOf(logOf([later, HERE], [earlier, HERE])), isCovered ? [2] : [1, 2], what);
  }
});

test("a node lacks what is for it and has not taken effect", () => {
  const log = logOf(
    [publication(1, { paths: ["a"] }), HERE],
    [publication(2, { paths: ["b"] }), MISSED],
    [publication(3, { paths: ["c"], targets: ["web2"] }), MISSED],
    [publication(4, { paths: ["d"], targets: ["@tok*"] }), MISSED],
    [publication(5, { paths: ["e"], excepts: ["web1"] }), MISSED],
    [publication(6, { paths: ["f"], targets: ["10.0.0.*"] }), MISSED],
  );
  assert.deepEqual(log.missing, [1, 3, 5]);
  const lacks = log.lacks;
  log.add(publication(4, { paths: ["d"], targets: ["@tok*"] }), { ...HERE, list: "d" });
  assert.deepEqual(log.missing, [1, 5]);
  assert.notEqual(log.lacks, lacks);
  assert.deepEqual(new PublicationLog(SELF, false).missing, []);
  log.forgetEffects();
  assert.deepEqual(log.missing, [0, 1, 3, 5]);
});

test("nothing is handed on that would bring a path back, or tells too little of it", () => {
  const why = (...later: readonly (readonly [Publication, Here])[]) =>
    logOf([publication(1, { paths: ["www/a"] }), HERE], ...later).whyNotServed(0, [OTHER]);
  assert.equal(why(), undefined);
  assert.equal(why([publication(2, { paths: ["www/b"] }), MISSED]), undefined);
  assert.equal(why([publication(2), MISSED]), "this host lacks a later push of the same paths");
  assert.equal(why([publication(2), HERE]), undefined);
  assert.equal(
    why([publication(2), { ...HERE, list: "" }]),
    "this host does not know what a later push of the same paths has brought",
  );
  assert.equal(
    why([publication(2, { targets: ["web1"] }), HERE]),
    "this host has a later push of the same paths for other hosts",
  );
  assert.equal(why([publication(2, { targets: ["web1"] }), MISSED]), undefined);
  const lost = logOf([publication(1), HERE]);
  lost.keepLists(new Set());
  assert.deepEqual(lost.servable([0], [OTHER]), []);
  assert.deepEqual(lost.missing, [], "it has taken effect all the same");
});

test("a log tells what has taken effect since a former state of it, and what nothing else stands for", () => {
  const log = new PublicationLog(SELF);
  const one = (place: number) => publication(place, { paths: ["a"], recursive: false });
  const listed = (list: string): Here => ({ atMs: 1, list, reason: "" });
  log.add(one(1), listed("1"));
  log.noteState();
  const state = log.stateOf(log.digest) ?? assert.fail("it is known");
  const since = () => log.effectiveSince(state)?.map(({ here }) => here.list);
  assert.deepEqual(since(), []);
  log.add(one(2), listed("2"));
  log.add(one(3), listed("3"));
  assert.deepEqual(since(), ["3"], "it covers the one before");
  log.add(one(4), MISSED);
  assert.deepEqual(since(), ["2", "3"], "they are what this host has");
  log.add(one(4), listed("4"));
  assert.deepEqual(since(), ["4"]);
  log.add(publication(5, { paths: ["b"] }), listed("5"));
  assert.deepEqual(since(), ["4", "5"]);
  assert.equal(log.stateOf("00".repeat(8)), undefined);
});

test("wrong clocks of those who push, and of this host, make no publication older than 90 days", () => {
  const DAY_MS = 86_400_000;
  const YEAR_MS = 365 * DAY_MS;
  const left = (nowMs: number, ...pushedMs: number[]) => {
    const log = new PublicationLog(SELF);
    for (const [index, timeMs] of pushedMs.entries())
      log.add({ ...publication(index + 1, { paths: [`d${index}`] }), timeMs }, MISSED);
    log.expire(nowMs);
    return placesOf(log);
  };
  const now = 20 * YEAR_MS;
  assert.deepEqual(left(now, now - 91 * DAY_MS, now - 89 * DAY_MS, now), [2, 3]);
  // One that has pushed has a clock that is a year late: it has pushed after the one before it.
  assert.deepEqual(left(now, now - 2, now - YEAR_MS, now), [1, 2, 3]);
  // Its clock is a year early.
  assert.deepEqual(left(now, now - 2, now + YEAR_MS, now), [1, 2, 3]);
  // The clock of this host is a year early.
  assert.deepEqual(left(now + YEAR_MS, now - 91 * DAY_MS, now - 2, now), [2, 3]);
});

test("a log is bounded by its number and by its age", () => {
  const log = new PublicationLog(SELF);
  for (let place = 1; place <= 1_002; place++) log.add(publication(place, { paths: [`d${place}`] }), HERE);
  assert.equal(log.all.length, 1_000);
  assert.equal(log.all[0]?.publication.place, 3);
  const timeMs = 90 * 86_400_000 + 500_000;
  log.add({ ...publication(1_003, { paths: ["last"] }), timeMs }, HERE);
  log.expire(timeMs);
  assert.equal(log.all[0]?.publication.place, 501);
});
