import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfText, displayJson, displayText } from "../../src/base/display.ts";
import { below, SeededRandom } from "../../src/base/random.ts";

const bytes = (text: string) => Buffer.from(text).toString("latin1");

test("ordinary names are shown as they are", () => {
  for (const name of [
    "",
    "a b",
    "日本.html",
    "caf\u00e9",
    "\u{1f600}",
    "a\\x9b",
    "\u00a0",
    "\u{10ffff}",
    "~",
  ]) {
    assert.equal(displayText(bytes(name)), name);
  }
});

test("bytes that are no UTF-8 are escaped one by one, and those beside them are not", () => {
  for (const [name, shown] of [
    ["caf\xe9", "caf\\xe9"],
    ["\x9b31m", "\\x9b31m"],
    [`\xff${bytes("日")}\xe6`, "\\xff日\\xe6"],
    // Too long a form, half a surrogate pair, beyond the last character.
    ["\xc0\xaf", "\\xc0\\xaf"],
    ["\xed\xa0\x80", "\\xed\\xa0\\x80"],
    ["\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"],
  ] as const) {
    assert.equal(displayText(name), shown);
  }
});

test("no character reaches a terminal that controls it", () => {
  const controls = [0x61c, 0x200e, 0x200f, 0x2028, 0x2029];
  for (let code = 0; code < 0x20; code++) controls.push(code);
  for (let code = 0x7f; code < 0xa0; code++) controls.push(code);
  for (let code = 0x202a; code <= 0x202e; code++) controls.push(code);
  for (let code = 0x2066; code <= 0x2069; code++) controls.push(code);
  for (const code of controls) {
    const character = String.fromCodePoint(code);
    const escaped = [...Buffer.from(character)]
      .map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`)
      .join("");
    assert.equal(displayText(bytes(`a${character}b`)), `a${escaped}b`);
    const json = displayJson(JSON.stringify({ name: character }));
    assert.match(json, /^[\x20-\x7e]+$/);
    assert.deepEqual(JSON.parse(json), { name: character });
  }
});

test("text that is no byte string is shown, and becomes one", () => {
  assert.equal(displayText("日本: \xe6\x97\xa5"), "日本: 日");
  for (const text of ["plain", "caf\u00e9 日 \u{1f600}", "\u007f\u0080\u07ff\u0800\uffff\u{10000}"]) {
    assert.equal(bytesOfText(text), bytes(text));
    assert.equal(displayText(bytesOfText(text)).includes("\\"), /[\x7f\x80]/.test(text));
  }
  assert.equal(bytesOfText("\ud800x"), "\xef\xbf\xbdx");
});

test("random bytes are read as every decoder of UTF-8 does", () => {
  const random = new SeededRandom(7);
  const likely = [0xe2, 0x80, 0xa8, 0xe6, 0x97, 0xa5, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xc2, 0x9b];
  for (let round = 0; round < 30_000; round++) {
    const raw = Buffer.from(
      Array.from({ length: below(random, 8) }, () =>
        below(random, 3) === 0 ? below(random, 256) : (likely[below(random, likely.length)] ?? 0),
      ),
    );
    const text = raw.toString("utf8");
    const isText = Buffer.from(text).equals(raw);
    const shown = displayText(raw.toString("latin1"));
    const isHarmless = !/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u.test(text);
    assert.equal(shown === text && isText, isText && isHarmless, raw.toString("hex"));
    // Taken back, the escapes give the same bytes: nothing is lost.
    const back = shown.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => `\0${hex}`);
    const parts = back.split("\0").flatMap((part, index) => {
      if (index === 0) return [Buffer.from(part)];
      return [Buffer.from(part.slice(0, 2), "hex"), Buffer.from(part.slice(2))];
    });
    assert.equal(Buffer.concat(parts).toString("hex"), raw.toString("hex"));
  }
});
