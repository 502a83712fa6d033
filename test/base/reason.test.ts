import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { type Reason, reason, reasonOf, sentenceOf, type When } from "../../src/base/reason.ts";
import { REASONS, type ReasonCode } from "../../src/base/reason-catalogue.ts";

/** Reasons are sent as sentences, and the receiver has to find them again. */

const CODES = Object.keys(REASONS) as ReasonCode[];
const argsOf = (code: ReasonCode) => (REASONS[code].match(/\{\d\}/g) ?? []).map((_, index) => `${index}7`);

test("every code is found again with its path, its arguments, and when it was", () => {
  for (const code of CODES) {
    for (const path of [undefined, "", "d/a file", "a: b", "\xe6\x97\xa5"]) {
      for (const when of ["before", "during", "after"] as When[]) {
        const more = when === "during" ? 3 : 0;
        const one: Reason = {
          ...reason(code, code === "other" ? undefined : path, ...argsOf(code)),
          when,
          more,
        };
        assert.deepEqual(reasonOf(sentenceOf(one)), one, sentenceOf(one));
      }
    }
  }
});

test("sentences read as they always did", () => {
  assert.equal(sentenceOf(reason("EACCES", "d/f")), "d/f: permission denied");
  assert.equal(
    sentenceOf(reason("EXDEV", "")),
    "the base directory: it is on another file system than the base directory",
  );
  assert.equal(
    sentenceOf(reason("no-space", undefined, 10, 5)),
    "no space: 10 bytes are needed and 5 are free",
  );
  const failed: Reason = { ...reason("ELOOP", "dir/file"), when: "during", more: 2 };
  assert.equal(
    sentenceOf(failed),
    "all is new but dir/file: it has become a symbolic link, which is not followed (and 2 more)",
  );
});

test("what members of other versions say is shown as it came", () => {
  for (const text of ["", "something new", "d/f: something new (and 2 more)", "all is new but x"])
    assert.equal(sentenceOf(reasonOf(text)), text);
  assert.equal(reasonOf("something new").code, "other");
});

test("no sentence changes on its way through a reason, whatever is in it", () => {
  const random = new SeededRandom(7);
  const parts = [
    ...Object.values(REASONS),
    "all is new but ",
    "all is new, but ",
    ": ",
    " (and 3 more)",
    "{0}",
    "\n",
    "a/b",
  ];
  for (let round = 0; round < 20_000; round++) {
    let text = "";
    for (let count = random.u32() % 5; count > 0; count--) text += parts[random.u32() % parts.length];
    assert.equal(sentenceOf(reasonOf(text)), text);
  }
});
