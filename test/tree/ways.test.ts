import assert from "node:assert/strict";
import { test } from "node:test";
import { named } from "../../src/tree/scan/scan.ts";
import { Ways } from "../../src/tree/scan/ways.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { directoryOf, nameOf } from "../../src/wire/path-rules.ts";

const way = (path: string) =>
  named(EntryType.passage, { path: directoryOf(path), metadata: undefined }, nameOf(path));

const pathsTo = (ways: Ways, directory: string) =>
  [...ways.to(directory)].map((item) => (item.kind === "entry" ? item.path : item.kind));

test("each way is given once, from the top, and only to where it leads", () => {
  const ways = new Ways();
  for (const path of ["a", "ab", "a/b", "a/c", "a/b/d"]) ways.add(way(path));
  assert.deepEqual(pathsTo(ways, "a/b"), ["a", "a/b"]);
  assert.deepEqual(pathsTo(ways, "a/b/d"), ["a/b/d"]);
  assert.deepEqual(pathsTo(ways, "a/c/x"), ["a/c"]);
  assert.deepEqual(pathsTo(ways, "ab"), ["ab"]);
  assert.deepEqual(pathsTo(ways, "a/b/d"), []);
});

test("a way above the directory that is read may come late, and the directories beside that keep theirs", () => {
  const ways = new Ways();
  for (const path of ["x/d1", "x/d2", "x/d1/e", "x"]) ways.add(way(path));
  assert.deepEqual(pathsTo(ways, "x/d1/e"), ["x", "x/d1", "x/d1/e"]);
  assert.deepEqual(pathsTo(ways, "x/d2"), ["x/d2"]);
});

test("a tree full of directories that nobody has published takes no more memory than one path of it", () => {
  const ways = new Ways();
  let most = 0;
  for (let top = 0; top < 100; top++) {
    ways.add(way(`t${top}`));
    for (let name = 0; name < 100; name++) {
      ways.add(way(`t${top}/d${name}`));
      for (let deep = 0; deep < 10; deep++) ways.add(way(`t${top}/d${name}/e${deep}`));
      most = Math.max(most, ways.size);
    }
  }
  assert.ok(most <= 100 + 100 + 10, `${most} of 101,100`);
});
