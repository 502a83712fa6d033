import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { normalizePath, pathsBelowBase } from "../../src/wire/request-paths.ts";

const below = (base: string, paths: string[], entries: string[] = []) =>
  pathsBelowBase(paths, base, (name) => entries.includes(name));

test("a path that begins with the base directory is the path below it", () => {
  const paths = ["/srv/tree/htdocs/index.html", "/srv/tree", "/srv/tree2/x", "/x", "srv/tree/y"];
  assert.deepEqual(below("/srv/tree", paths), ["/htdocs/index.html", "", "/srv/tree2/x", "/x", "srv/tree/y"]);
});

test("slashes and dots that mean nothing are no part of the base directory", () => {
  const paths = ["/srv//tree/x", "//srv/./tree/x/", "/srv/tree/", "srv//y"];
  assert.deepEqual(below("/srv/tree", paths), ["/x", "/x", "", "srv//y"]);
});

test("it is kept where the base directory has an entry with the first name, and where it is the root", () => {
  assert.deepEqual(below("/srv/tree", ["/srv/tree/x"], ["srv"]), ["/srv/tree/x"]);
  assert.deepEqual(below("/", ["/srv/tree/x"]), ["/srv/tree/x"]);
});

test("slashes and dots that mean nothing are left out", () => {
  assert.deepEqual(["/a//b/", "./a/./b", "a/b", "/", ".", ""].map(normalizePath), [
    ...["a/b", "a/b", "a/b"],
    ...["", "", ""],
  ]);
});

test("a path that leads out of the base directory, into the staging area, or is too long is refused", () => {
  const refused: readonly [string, RegExp][] = [
    ["a/../../b", /^'a\/\.\.\/\.\.\/b' leads out of the base directory: /],
    ["a/../b/./../c", /^'a\/\.\.\/b\/\.\/\.\.\/c' has '\.\.' in it, which is not followed: write 'c'$/],
    ["a/..", /^'a\/\.\.' has '\.\.' in it, which is not followed: write '\.'$/],
    ["/srv/tree/../x", /^'\/srv\/tree\/\.\.\/x' leads out of the base directory: /],
    [".makuosan", /^'\.makuosan' is where transfers are staged, which is never sent: leave it out$/],
    ["/.//.makuosan/x", /is where transfers are staged/],
    ["x".repeat(256), /^'x{80}\.\.\.' is too long: a name may have 255 bytes, a path \d+$/],
  ];
  for (const [path, message] of refused)
    assert.throws(
      () => normalizePath(path),
      (error) => error instanceof UserError && message.test(error.message),
      path,
    );
  assert.equal(normalizePath("a/.makuosan"), "a/.makuosan");
});
