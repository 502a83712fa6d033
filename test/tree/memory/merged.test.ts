import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { finish } from "../../../src/base/steps.ts";
import { SeededRandom } from "../../../src/base/random.ts";
import { recover } from "../../../src/tree/apply/recovery.ts";
import { Directories } from "../../../src/tree/disk/directories.ts";
import { PowerFailure, stopAt } from "../../disk/faults.ts";
import type { MemoryDisk } from "../../disk/memory-disk.ts";
import { directory, file, Member, type Push } from "./member.ts";

/** A directory that two transfers bring: what the later one has in it is moved into that of the earlier one. */

/** Brings a directory with an entry `b`, which is a directory with a file in it, or a file or nothing else. */
type Kind = "file" | "filled" | "empty";

function brought(member: Member, name: string, kind: Kind, ...files: string[]): Push {
  const push = member.push(name).bring("", [directory("d")]);
  const b = kind === "file" ? file("b", 1) : directory("b");
  push.bring(
    "d",
    [...files.map((one) => file(one, 1)), b].sort((one, other) => (one.name < other.name ? -1 : 1)),
  );
  if (kind === "filled") push.bring("d/b", [file("y", 1)]);
  push.prepare();
  return push;
}

/** The paths below `d`, with a slash behind directories. */
function pathsIn(disk: MemoryDisk): string {
  const tree = Directories.at(disk, "/");
  const paths: string[] = [];
  const walk = (path: string) => {
    for (const name of tree.list(path)) {
      const isDirectory = tree.stat(`${path}/${name}`)?.isDirectory() === true;
      paths.push(`${path}/${name}${isDirectory ? "/" : ""}`);
      if (isDirectory) walk(`${path}/${name}`);
    }
  };
  walk("d");
  tree.close();
  return paths.sort().join(" ");
}

/**
 * The later transfer ends in the middle of its commit.
 *
 * @returns the trees that the next start may leave; undefined if the commit was over before
 */
function treesAfter(first: Kind, second: Kind, canExchange: boolean, change: number): string[] | undefined {
  const member = new Member({ canExchange });
  const one = brought(member, "t-1", first);
  const other = brought(member, "t-2", second, "a", "z");
  one.commit();
  finish(one.stage.clean());
  member.memory.settle();
  member.memory.before = stopAt(member.memory.changes + change);
  try {
    other.stage.commit();
    finish(other.stage.clean());
    return undefined;
  } catch (error) {
    if (!(error instanceof PowerFailure)) throw error;
  }
  return [1, 2, 3, 4, 5, 6].map((seed) => {
    const disk = member.memory.crash(new SeededRandom(seed));
    recover(Directories.at(disk, "/"), member.rules);
    return pathsIn(disk);
  });
}

describe("after a crash at any moment, a merged directory is as before or new", () => {
  const cases: readonly [Kind, Kind, string, string][] = [
    ["file", "filled", "d/b", "d/a d/b/ d/b/y d/z"],
    ["empty", "file", "d/b/", "d/a d/b d/z"],
    ["file", "file", "d/b", "d/a d/b d/z"],
    ["filled", "filled", "d/b/ d/b/y", "d/a d/b/ d/b/y d/z"],
  ];
  for (const [first, second, old, fresh] of cases)
    for (const canExchange of [true, false])
      test(`${second} over ${first}, ${canExchange ? "exchanged" : "one after the other"}`, () => {
        for (let change = 1; ; change++) {
          const trees = treesAfter(first, second, canExchange, change);
          if (trees === undefined) break;
          for (const tree of trees) assert.ok([old, fresh].includes(tree), `change ${change}: ${tree}`);
        }
      });
});
