import assert from "node:assert/strict";
import { test } from "node:test";
import * as own from "../../src/base/assert.ts";

const check: typeof own.assert = own.assert;

test("a broken invariant is an error of its own kind, with a sentence for the log", () => {
  check(true, "it holds");
  check("anything that is not empty", "it holds");
  for (const broken of [false, 0, "", undefined, null])
    assert.throws(() => check(broken, "it does not hold"), new own.InvariantError("it does not hold"));
});
