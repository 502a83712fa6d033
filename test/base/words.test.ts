import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { quoteWord, splitWords } from "../../src/base/words.ts";

test("words are what a shell makes of them", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["  \t ", []],
    ["send -r dir", ["send", "-r", "dir"]],
    ["a\t b  c ", ["a", "b", "c"]],
    ["# all of it", []],
    ["a # rest", ["a"]],
    ["a#b '#c' \\#d", ["a#b", "#c", "#d"]],
    [`'a b' "c d" e\\ f`, ["a b", "c d", "e f"]],
    [`"a\\"b\\\\c\\$d\\n"`, ['a"b\\c$d\\n']],
    [`'a\\'b`, ["a\\b"]],
    [`'' ""`, ["", ""]],
    [`x'y z'"w"`, ["xy zw"]],
    ["$HOME *", ["$HOME", "*"]],
    ["caf\xe9 \xff", ["caf\xe9", "\xff"]],
  ];
  for (const [line, words] of cases) assert.deepEqual(splitWords(line), words, line);
});

test("an open quote and a backslash at the end are refused", () => {
  for (const line of ["'a", 'a "b', "a\\"]) assert.throws(() => splitWords(line), UserError, line);
});

test("a quoted word is one word for a shell, and the same", () => {
  assert.equal(quoteWord("/srv/.makuosan/0011-3"), "/srv/.makuosan/0011-3");
  for (const word of ["a b", "$(id)", "`id`", "a;b", "it's", "''", "*", "", "~", "a\nb", "\\", "é"]) {
    assert.notEqual(quoteWord(word), word);
    assert.equal(execFileSync("sh", ["-c", `printf %s ${quoteWord(word)}`], { encoding: "utf8" }), word);
  }
});
