import assert from "node:assert/strict";
import { test } from "node:test";
import { beginningOf, columnsOf, endOf } from "../../src/cli/text-columns.ts";

test("characters of Japanese take two columns, accents none", () => {
  for (const [text, columns] of [
    ["", 0],
    ["web1 #-[]", 9],
    ["é", 1],
    ["e\u0301", 1],
    ["残り 0:05", 9],
    ["ﾃｽﾄ", 3],
    ["（１）", 6],
    ["🙂", 2],
  ] as const)
    assert.equal(columnsOf(text), columns, text);
});

test("a text is cut between characters, and never wider than asked for", () => {
  assert.equal(beginningOf("比較中", 5), "比較");
  assert.equal(endOf("比較中", 5), "較中");
  assert.equal(beginningOf("abc", 0), "");
  assert.equal(endOf("abc", -1), "");
  assert.equal(beginningOf("abc", Infinity), "abc");
});
