import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { pathsOfPush } from "../../src/daemon/pushes/paths-of-push.ts";

/** The log of what is published has the paths that a push sends. */

function baseWith(context: { after(end: () => void): void }, ...entries: string[]): string {
  const base = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "makuosan-é-"));
  context.after(() => fs.rmSync(base, { recursive: true }));
  for (const entry of entries) fs.mkdirSync(path.join(base, entry));
  return base;
}

const byteString = (text: string) => Buffer.from(text).toString("latin1");

test("paths that begin with the base directory are those below it", async (context) => {
  const base = baseWith(context, "a");
  const typed = byteString(base);
  assert.deepEqual(await pathsOfPush([`${typed}/a`, typed, "a"], base), ["/a", "", "a"]);
});

test("they stay if the base directory has an entry of their first name, as the source decides", async (context) => {
  const [, first = ""] = os.tmpdir().split("/");
  const base = baseWith(context, first);
  assert.equal(await pathsOfPush([`${byteString(base)}/a`], base), undefined);
  fs.rmdirSync(path.join(base, first));
  fs.symlinkSync("nothing", path.join(base, first));
  assert.equal(await pathsOfPush([`${byteString(base)}/a`], base), undefined);
});

test("without such a path nobody looks at the base directory", async () => {
  assert.equal(await pathsOfPush(["a", "/srv/x"], "/nowhere"), undefined);
});
