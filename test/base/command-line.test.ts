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
  const options = [{ long: "--delete" }, { long: "--base" }, {}];
  const say = (message: string) => commandLineError(message, "see x", options).message;
  assert.equal(say("error: unknown option '-q'"), "unknown option '-q': see x");
  assert.equal(
    say("error: unknown option '--delte'\n(Did you mean --delete?)"),
    "unknown option '--delte': did you mean --delete? see x",
  );
  assert.equal(
    say("error: unknown option '--bse=/srv'"),
    "unknown option '--bse=/srv': did you mean --base? see x",
  );
  assert.equal(say("error: unknown option '--quite=other'"), "unknown option '--quite=other': see x");
});

test("an option that takes no value is not called unknown, nor its opposite the only one", () => {
  const options = [{ long: "--compress" }, { long: "--no-compress" }, { long: "--whole-file" }];
  const say = (message: string) => commandLineError(message, "see x", options).message;
  for (const { long } of options)
    assert.equal(
      say(`error: unknown option '${long}=maybe'`),
      `${long} takes no value: leave out what follows the '='`,
    );
});

test("an option that means the opposite is not advised", () => {
  const options = [{ long: "--no-receive" }, { long: "--delete" }, { long: "--set" }];
  const say = (message: string) => commandLineError(message, "see x", options).message;
  assert.equal(
    say("error: unknown option '--receive'\n(Did you mean --no-receive?)"),
    "unknown option '--receive': there is only --no-receive, which means the opposite; see x",
  );
  assert.equal(
    say("error: unknown option '--no-delete=yes'"),
    "unknown option '--no-delete': there is only --delete, which means the opposite; see x",
  );
});
