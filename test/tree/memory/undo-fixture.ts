import assert from "node:assert/strict";
import { undoAreas } from "../../../src/tree/apply/undo-areas.ts";
import { EntryType } from "../../../src/wire/entry.ts";
import type { MemoryDisk } from "../../disk/memory-disk.ts";
import { directory, entry, file, Member, meta, type Push, type PushOptions } from "./member.ts";

/** A commit that changes a tree in every way, and the same tree before and after it. */

/** Everything is kept. */
export const KEEPING = { mayKeep: () => true, keeps: () => true, number: () => ++lastNumber };

let lastNumber = 0;

export const OLD = {
  "d/same": "s",
  "d/file": "old",
  "d/gone": "g",
  "d/tree/x": "x",
  "d/tree/y": "y",
  "d/plain": "p",
};
export const NEW = { "d/same": "s", "d/file": "ff", "d/fresh": "f", "d/tree": "ttt", "d/plain/z": "z" };

/** Brings a new tree: a file is replaced, one is deleted, one is new, and two change their type. */
export function change(member: Member, options: PushOptions = { keeping: KEEPING }) {
  const push = member.push("t-1", options);
  push.plan({ terms: { deletes: true, isForced: true } });
  push.bring("", [directory("d", { metadata: meta(0o700) })]);
  push.bring(
    "d",
    [file("file", 2), file("fresh", 1), directory("plain"), entry(EntryType.kept, "same"), file("tree", 3)],
    { isComplete: true, metadata: meta(0o700) },
  );
  push.bring("d/plain", [file("z", 1)]);
  push.prepare();
  return push;
}

function treeOn(disk: MemoryDisk, path = ""): Record<string, string> {
  const member = new Member();
  Object.defineProperty(member, "memory", { value: disk });
  return member.tree(path);
}

export const treeBelow = (disk: MemoryDisk) =>
  Object.fromEntries(Object.entries(treeOn(disk, "d")).map(([path, text]) => [`d/${path}`, text]));

/** Takes back the newest commit. */
export function takeBack(member: Member, name: string): Push {
  const { base } = member;
  const [kept] = undoAreas(base, member.rules);
  assert.ok(kept !== undefined);
  const push = member.push(name, { keeping: KEEPING });
  push.stage.undo(kept.name);
  push.prepare();
  push.commit();
  return push;
}

/** Every path below `d` with its contents, rights and time. */
export function looks(member: Member): string[] {
  const of = (path: string) => `${member.rights(path)} ${member.stats(path)?.mtimeNs}`;
  const entries = Object.entries(member.tree("d"));
  return [
    `d ${of("d")}`,
    ...entries.map(([path, text]) => `${path} ${text} ${of(`d/${path.replace(/[/]$/, "")}`)}`),
  ];
}

/** The contents of what is kept, in the order of the alphabet. */
export function keptTexts(disk: MemoryDisk, name = "t-1"): string[] {
  const kept = new Map<string, string[]>();
  for (const [path, text] of Object.entries(treeOn(disk, `.makuosan/undo-${name}`))) {
    const [first = ""] = path.split("/");
    if (first.startsWith("discarded") && text !== "") kept.set(first, [...(kept.get(first) ?? []), text]);
  }
  return [...kept.values()].map((texts) => texts.sort().join(" ")).sort();
}

export function treeOfEntries(entries: Readonly<Record<string, string>>): Record<string, string> {
  return treeBelow(new Member().put(entries).memory);
}
