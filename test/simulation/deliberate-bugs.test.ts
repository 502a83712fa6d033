import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { BUGS } from "./deliberate-bugs.ts";

/** The bugs themselves take long to be found; this holds them against the code, so that none goes out of date. */

test("every deliberate bug can be put into the code, at one place", () => {
  for (const { name, file, from, to } of BUGS) {
    const text = fs.readFileSync(new URL(`../../src/${file}`, import.meta.url), "utf8");
    assert.equal(text.split(from).length - 1, 1, `${name}: ${file}`);
    assert.notEqual(from, to, name);
  }
});
