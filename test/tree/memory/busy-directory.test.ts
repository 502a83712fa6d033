import assert from "node:assert/strict";
import { test } from "node:test";
import { Directories } from "../../../src/tree/disk/directories.ts";
import { compileExcludes } from "../../../src/wire/excludes.ts";
import { Owners } from "../../../src/tree/entries/owners.ts";
import { NO_RULES } from "../../../src/tree/scan/request.ts";
import { Scanner } from "../../../src/tree/scan/scan.ts";
import { EntryType } from "../../../src/wire/entry.ts";
import { Member } from "./member.ts";

/** A directory of the sender that changes while it is listed. */

/** Makes an empty file in the directory, which changes its time. */
const add = (member: Member, name: string): void =>
  member.in("d", (directory, disk) => disk.closeFile(disk.makeFile(directory, name, 0o644)));

/** The items of a walk: entries by their names, kept ones in brackets. */
function walk(member: Member, change: (listing: number) => void): string[] {
  const isExcluded = compileExcludes([], "/");
  const rules = { ...NO_RULES, deletes: "also", isExcluded, dryRun: false } as const;
  let listings = 0;
  member.memory.before = ({ kind }) => {
    if (kind !== "list") return;
    const { before } = member.memory;
    member.memory.before = undefined;
    change(++listings);
    member.memory.before = before;
  };
  const scanner = new Scanner(Directories.at(member.memory, "/"), new Owners(), rules);
  return [...scanner.scan({ paths: ["d"], recursive: true })].map((item) => {
    if (item.kind === "complete") return `complete ${item.directory.path}`;
    if (item.kind !== "entry") return `${item.kind} ${item.path}: ${item.reason.code}`;
    return item.entry.type === EntryType.kept ? `[${item.entry.name}]` : item.entry.name;
  });
}

test("is listed again, and all that has come by then is sent", () => {
  const member = new Member().put({ "d/a": "a", "d/b": "b" });
  const items = walk(member, (listing) => {
    if (listing <= 3) add(member, `new${listing}`);
  });
  assert.deepEqual(items, ["d", "a", "b", "new1", "new2", "new3", "complete d"]);
});

test("is listed again where an entry has vanished, which may have another name by now", () => {
  const member = new Member().put({ "d/a": "a", "d/b": "b" });
  let isDone = false;
  const stat = member.memory.stat.bind(member.memory);
  member.memory.stat = (parent, name) => {
    if (name === "b" && !isDone) {
      isDone = true;
      member.in("d", (directory, disk) => disk.rename(directory, "b", directory, "c"));
    }
    return stat(parent, name);
  };
  assert.deepEqual(
    walk(member, () => undefined),
    ["d", "a", "c", "complete d"],
  );
});

test("that changes all the time is named, and nothing is deleted in it", () => {
  const member = new Member().put({ "d/a": "a" });
  const items = walk(member, (listing) => add(member, `new${listing}`));
  assert.deepEqual(items, [
    "d",
    "a",
    ...[1, 2, 3, 4, 5, 6].map((listing) => `new${listing}`),
    "unreadable d: changes-all-the-time",
  ]);
});

test("that is steady is listed once", () => {
  const member = new Member().put({ "d/a": "a" });
  let last = 0;
  const items = walk(member, (listing) => (last = listing));
  assert.deepEqual([items, last], [["d", "a", "complete d"], 1]);
});
