import assert from "node:assert/strict";
import { test } from "node:test";
import type { PathsOfPush } from "../../../src/tree/apply/other-names.ts";
import { Protection } from "../../../src/tree/decide/protection.ts";
import { file, Member } from "./member.ts";
import { KEEPING } from "./undo-fixture.ts";

/** A file that an undo brings back has other names in the tree, which its push has left alone. */

/** A push has replaced one name of a file that has four. */
function pushed(): Member {
  const member = new Member().put({ "d/a": "text", "d/s/": "", "o/": "" });
  member.in("d", (from, disk) => disk.link(from, "a", from, "b"));
  for (const [top, name] of [
    ["d/s", "c"],
    ["o", "x"],
  ] as const)
    member.in("", (root, disk) => {
      let parent = root;
      for (const step of top.split("/")) parent = disk.openDirectory(parent, step);
      disk.link(disk.openDirectory(root, "d"), "a", parent, name);
    });
  const push = member.push("t-1", { keeping: KEEPING });
  push.bring("d", [file("a", 3)]);
  push.prepare();
  push.commit();
  return member;
}

/** The names that the undo records. */
function recorded(push: Partial<PathsOfPush>, pattern?: string): string[] {
  const member = pushed();
  const paths: string[] = [];
  const manifest = {
    note: () => undefined,
    withdraw: () => undefined,
    noteUndone: (path: string) => void paths.push(path),
    trustsForce: true,
  };
  const protection = pattern === undefined ? undefined : Protection.of([pattern], "/");
  const undo = member.push("u-1", { keeping: KEEPING, manifest, protection });
  undo.stage.undo("t-1", { paths: ["d"], recursive: true, isExcluded: () => false, ...push });
  undo.prepare();
  undo.commit();
  const stats = ["d/a", "d/b"].map((path) => member.stats(path));
  assert.equal(stats[0]?.inode, stats[1]?.inode);
  return paths.sort();
}

test("they are recorded with it, as far as the push was about them and they are handed on", () => {
  assert.deepEqual(recorded({}), ["d/a", "d/b", "d/s/c"]);
  assert.deepEqual(recorded({ paths: [""] }), ["d/a", "d/b", "d/s/c", "o/x"]);
  assert.deepEqual(recorded({ paths: ["d/a", "o/x"], recursive: false }), ["d/a", "o/x"]);
  assert.deepEqual(recorded({ isExcluded: (path) => path === "d/s" }), ["d/a", "d/b"]);
  assert.deepEqual(recorded({ paths: ["d/s/c"], isExcluded: (path) => path === "d" }), ["d/a"]);
  assert.deepEqual(recorded({}, "c"), ["d/a", "d/b"]);
});
