import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLineError, similarWord } from "../../src/base/command-line.ts";

const WORDS = ["base", "user", "group", "groups", "multicast", "key", "state"];

test("a mistyped word is similar to the one that was meant", () => {
  for (const [word, meant] of [
    ["bse", "base"],
    ["Base", "base"],
    ["multcast", "multicast"],
    ["usre", "user"],
    ["gruop", "group"],
    ["kye", "key"],
    ["k", undefined],
    ["", undefined],
    ["interface", undefined],
    ["x".repeat(100_000), undefined],
  ] as const) {
    assert.equal(similarWord(word, WORDS), meant, word);
  }
});

test("a sentence about a command line has one line, and says where all options are", () => {
  assert.equal(commandLineError("error: unknown option '-q'", "see x").message, "unknown option '-q': see x");
  assert.equal(
    commandLineError("error: unknown option '--delte'\n(Did you mean --delete?)", "see x").message,
    "unknown option '--delte': did you mean --delete? see x",
  );
});
