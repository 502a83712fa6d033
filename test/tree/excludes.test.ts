import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { compileExcludes, EXCLUDES } from "../../src/wire/excludes.ts";
import { Protection } from "../../src/tree/decide/protection.ts";
import { contents, StagingPair } from "../support/staging.ts";

/** Whether a pattern excludes a path; a path with a slash at its end is a directory. */
function excluded(pattern: string, entry: string, base = "/var/www"): boolean {
  return compileExcludes([pattern], base)(entry.replace(/\/$/, ""), entry.endsWith("/"));
}

function all(pattern: string, entries: readonly string[], expected: boolean): void {
  for (const entry of entries) assert.equal(excluded(pattern, entry), expected, `${pattern} ${entry}`);
}

test("a pattern fits from any directory on, and a star never stands for a slash", () => {
  all("*.log", ["a.log", "b/a.log", "b/c/.log", "x.log/"], true);
  all("*.log", ["a.log.gz", "x.log/a", "log"], false);
  all("img/*.tmp", ["img/a.tmp", "b/img/a.tmp"], true);
  all("img/*.tmp", ["a.tmp", "img/c/a.tmp", "ximg/a.tmp"], false);
  all("a/*/c", ["a/b/c", "x/a/b/c"], true);
  all("a/*/c", ["a/c", "a/b/b/c"], false);
});

test("a slash at the end means directories only", () => {
  all("cache/", ["cache/", "a/cache/"], true);
  all("cache/", ["cache", "a/cache", "xcache/"], false);
  all("cache", ["cache", "cache/"], true);
});

test("a slash at the beginning means the base directory or the root of the file system", () => {
  all("/tmp", ["tmp", "tmp/"], true);
  all("/tmp", ["a/tmp"], false);
  all("/var/www/tmp", ["tmp", "var/www/tmp"], true);
  all("/var/www/tmp", ["a/tmp", "www/tmp"], false);
  all("/*", ["a", "b/"], true);
  all("/*", ["a/b"], false);
});

test("directories above the base count, as they always did", () => {
  all("www/tmp", ["tmp", "a/www/tmp"], true);
  all("www", [""], false);
});

test("escapes, and slashes that are escaped or doubled", () => {
  all("\\*", ["*"], true);
  all("\\*", ["a"], false);
  all("a\\/b", ["a/b"], true);
  all("a//b/", ["a/b/"], true);
});

test("patterns that fit nothing are refused with a sentence", () => {
  for (const pattern of ["", "/", "//", "a\\"]) {
    assert.throws(() => compileExcludes([pattern], "/"), UserError, pattern);
  }
  assert.throws(() => compileExcludes(Array<string>(EXCLUDES + 1).fill("x"), "/"), /give 10000 at the most/);
  assert.throws(
    () => compileExcludes(Array<string>(100).fill("[a]".repeat(1_000)), "/"),
    /have 300000 bytes: give/,
  );
});

/** Typical lists of patterns, each with entries that are left out and others that are sent. */
const LISTS: Record<string, [patterns: string[], out: string[], sent: string[]]> = {
  "editor backups": [
    ["*~", "#*#", ".#*", "*.sw[a-p]", "*.bak", "*.orig"],
    ["a.html~", "sub/#draft.txt#", ".#lock", "sub/.index.html.swp", "old.bak", "x.c.orig"],
    ["a.html", "draft#1.txt", "index.swx", "bakery", "sub/#half"],
  ],
  "version control": [
    [".git/", ".svn/", ".gitignore", "CVS/"],
    [".git/", "sub/module/.git/", ".svn/", ".gitignore", "a/.gitignore", "CVS/"],
    ["git/", ".github/", "CVS", "sub/module/.git"],
  ],
  "a web server": [
    ["cache/", "node_modules/", "*.log", "*.log.[0-9]", "/tmp/*", "*.pid", "sess_*"],
    ["cache/", "app/cache/", "a/node_modules/", "x.log", "x.log.1", "tmp/x", "run/a.pid", "s/sess_ab12"],
    ["cache", "cached/", "tmp/", "app/tmp/x", "x.log.gz", "x.log.10", "node_modules.json"],
  ],
};

for (const [name, [patterns, out, sent]] of Object.entries(LISTS)) {
  test(`a list for ${name}`, () => {
    const isExcluded = compileExcludes(patterns, "/srv/site");
    const hit = (entry: string) => isExcluded(entry.replace(/\/$/, ""), entry.endsWith("/"));
    assert.deepEqual(
      out.filter((entry) => !hit(entry)),
      [],
      "left out",
    );
    assert.deepEqual(sent.filter(hit), [], "sent");
  });
}

function makeFiles(directory: string, files: readonly string[]): void {
  for (const file of files) {
    fs.mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
    fs.writeFileSync(path.join(directory, file), `${path.basename(directory)} ${file}`);
  }
}

test("what is excluded is not sent, nor what is in an excluded directory", (context) => {
  const pair = new StagingPair();
  context.after(() => pair.destroy());
  makeFiles(pair.from, ["a", "a.log", "cache/deep/x", "sub/cache/y", "sub/z", "tmp/keep"]);
  pair.scanRules = { excludes: ["*.log", "cache/"] };
  pair.push();
  assert.deepEqual(Object.keys(contents(pair.to)).sort(), ["a", "sub", "sub/z", "tmp", "tmp/keep"]);
  assert.deepEqual(pair.notices, []);
  pair.push(["cache/deep", "a.log", "a"]);
  assert.deepEqual(
    pair.notices.map(({ kind, path: name }) => [kind, name]),
    [
      ["excluded", "cache/deep"],
      ["excluded", "a.log"],
    ],
  );
  assert.equal(fs.existsSync(path.join(pair.to, "cache")), false);
});

test("what a receiver excludes stays as it is there, and is not made", (context) => {
  const pair = new StagingPair();
  context.after(() => pair.destroy());
  makeFiles(pair.from, ["local.conf", "sub/local.conf", "cache/x", "deep/cache/y", "plain"]);
  makeFiles(pair.to, ["local.conf", "cache/own"]);
  pair.protection = Protection.of(["local.conf", "cache/"], pair.to);
  pair.push();
  const found = contents(pair.to);
  assert.equal(found["local.conf"], "to local.conf");
  assert.deepEqual(Object.keys(found).sort(), ["cache", "cache/own", "deep", "local.conf", "plain", "sub"]);
});

test("a directory with something excluded in it is not replaced by a file", (context) => {
  const pair = new StagingPair();
  context.after(() => pair.destroy());
  makeFiles(pair.from, ["data", "cache"]);
  makeFiles(pair.to, ["data/deep/local.conf", "cache/own"]);
  pair.protection = Protection.of(["local.conf", "cache/"], pair.to);
  assert.throws(
    () => pair.push(),
    /^StageError: data: it is a directory on this member, and holds data\/deep\/local.conf/,
  );
  fs.rmSync(path.join(pair.from, "data"));
  pair.push();
  assert.equal(contents(pair.to)["cache/own"], "to cache/own");
});
