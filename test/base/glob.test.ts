import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { DecodeError } from "../../src/base/bytes.ts";
import { compileGlob, isPattern, matches } from "../../src/base/glob.ts";
import { below, SeededRandom } from "../../src/base/random.ts";

interface Library {
  func(prototype: string): (...args: unknown[]) => number;
}

const koffi = createRequire(import.meta.url)("koffi") as { load(path: null): Library };
const fnmatch = koffi.load(null).func("int fnmatch(const void *, const void *, int)");

const bytes = (text: string) => Buffer.from(`${text}\0`, "latin1");
const fits = (pattern: string, text: string) => matches(compileGlob(pattern), text);

test("plain names, stars, question marks and brackets", () => {
  const cases: [string, string, boolean][] = [
    ["name", "name", true],
    ["name", "names", false],
    ["*", "", true],
    ["*.log", ".log", true],
    ["*.log", "a.log.1", false],
    ["*a*b*c", "xxaxxbxxbxxc", true],
    ["*a*b*c", "xxaxxcxxb", false],
    ["??", "ab", true],
    ["?", "\xe3\x81\x82", false],
    ["???", "\xe3\x81\x82", true],
    ["[abc]", "b", true],
    ["[!abc]", "b", false],
    ["[^abc]", "d", true],
    ["[a-c]x", "bx", true],
    ["[]x]", "]", true],
    ["[!]x]", "]", false],
    ["[a-]", "-", true],
    ["[[:digit:]a]", "7", true],
    ["[[:digit:]]", "x", false],
    ["[a", "[a", true],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["[\\]]", "]", true],
    [".*", ".git", true],
    ["*", ".git", true],
  ];
  for (const [pattern, text, expected] of cases)
    assert.equal(fits(pattern, text), expected, `${pattern} ${text}`);
});

test("a lone backslash at the end is refused, and only patterns are patterns", () => {
  assert.throws(() => compileGlob("a*\\"), DecodeError);
  assert.deepEqual(["a", "a.b-c", "a*", "a?", "[a]", "\\a"].map(isPattern), [
    false,
    false,
    true,
    true,
    true,
    true,
  ]);
});

test("random patterns fit what the C library says", () => {
  const random = new SeededRandom(20_081_106);
  const pick = (alphabet: readonly string[], most: number) =>
    Array.from({ length: below(random, most + 1) }, () => alphabet[below(random, alphabet.length)]).join("");
  const parts = [
    "a",
    "b",
    "c",
    "*",
    "?",
    "[ab]",
    "[!a]",
    "[a-c]",
    "[",
    "]",
    "-",
    "!",
    "\\*",
    "\\a",
    "[[:alpha:]]",
    "x",
  ];
  let fitting = 0;
  for (let round = 0; round < 100_000; round++) {
    const pattern = pick(parts, 6);
    const text = pick(["a", "b", "c", "[", "]", "-", "!", "*", "x", "\xe9"], 6);
    const expected = fnmatch(bytes(pattern), bytes(text), 0) === 0;
    if (expected) fitting++;
    assert.equal(fits(pattern, text), expected, JSON.stringify({ pattern, text }));
  }
  assert.ok(fitting > 1_000, "some of them do fit");
});

test("each class of bytes, each byte, and all but them are those of the C library", () => {
  const classes = "alnum alpha blank cntrl digit graph lower print punct space upper xdigit".split(" ");
  const patterns = [...classes.map((name) => `[[:${name}:]]`), "?", "[!a]", "[^a]", "[\x01-\xff]", "[+--]"];
  for (const pattern of patterns) {
    // A text of the C library ends at byte 0.
    for (let byte = 1; byte < 256; byte++) {
      const text = String.fromCharCode(byte);
      assert.equal(fits(pattern, text), fnmatch(bytes(pattern), bytes(text), 0) === 0, `${pattern} ${byte}`);
    }
  }
  assert.ok(fits("?", "\0") && fits("[[:cntrl:]]", "\0") && fits("[!a]", "\0"));
  assert.ok(!fits("[[:print:]]", "\0"));
});

test("a backslash in brackets takes the meaning from what follows, also at the end of the pattern", () => {
  for (const [pattern, text] of [
    ["[\\a]", "a"],
    ["[\\]a]", "]"],
    ["[\\\\]", "\\"],
    ["[a\\-c]", "b"],
    ["[a\\-c]", "-"],
    ["[\\a-c]", "b"],
    ["[a-\\c]", "b"],
    ["[\\]", "\\"],
    ["[\\]", "[]"],
    ["[\\", "[\\"],
    ["x[\\", "x["],
  ] as const)
    if (!pattern.endsWith("[\\"))
      assert.equal(fits(pattern, text), fnmatch(bytes(pattern), bytes(text), 0) === 0, `${pattern} ${text}`);
    else assert.throws(() => compileGlob(pattern), DecodeError, pattern);
});

test("a name of a class that there is not is just characters", () => {
  for (const text of [":", "n", "]", "x", "[:none:]"]) {
    assert.equal(fits("[[:none:]]", `${text}]`), [":", "n"].includes(text), text);
  }
});

test("many stars take no long time", () => {
  const began = process.cpuUsage();
  assert.equal(fits("*a".repeat(100), "a".repeat(255) + "b"), false);
  assert.ok(process.cpuUsage(began).user < 1_000_000);
});

test("brackets that are never closed take no time that grows with the square of their number", () => {
  // One such pattern of 4096 bytes took 0.7 s before, and a request may have a thousand.
  const began = process.cpuUsage();
  for (let round = 0; round < 20; round++) {
    assert.equal(fits(`${"[".repeat(4_000)}\\]`, "x"), false);
    assert.equal(fits(`${"[!".repeat(2_000)}\\]`, "x"), false);
  }
  assert.ok(process.cpuUsage(began).user < 3_000_000);
  for (const [pattern, text] of [
    ["[[:alpha:]", "[a"],
    ["[[[:alpha:]]", "[[a]"],
    ["[a[b\\]", "[a[b]"],
    ["[[[", "[[["],
  ] as const) {
    assert.equal(fits(pattern, text), fnmatch(bytes(pattern), bytes(text), 0) === 0, pattern);
  }
});
