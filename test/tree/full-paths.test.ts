import assert from "node:assert/strict";
import { test } from "node:test";
import { belowBase } from "../../src/tree/scan/request.ts";

const below = (base: string, paths: string[], entries: string[] = []) =>
  belowBase({ paths, recursive: false }, base, (name) => entries.includes(name)).paths;

test("a path that begins with the base directory is the path below it", () => {
  const paths = ["/srv/tree/htdocs/index.html", "/srv/tree", "/srv/tree2/x", "/x", "srv/tree/y"];
  assert.deepEqual(below("/srv/tree", paths), ["/htdocs/index.html", "", "/srv/tree2/x", "/x", "srv/tree/y"]);
});

test("it is kept where the base directory has an entry with the first name, and where it is the root", () => {
  assert.deepEqual(below("/srv/tree", ["/srv/tree/x"], ["srv"]), ["/srv/tree/x"]);
  assert.deepEqual(below("/", ["/srv/tree/x"]), ["/srv/tree/x"]);
});
