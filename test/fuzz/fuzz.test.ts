import assert from "node:assert/strict";
import { test } from "node:test";
import { corpusOf, fuzz, FuzzError } from "./fuzz.ts";
import { type Target, TARGETS } from "./targets.ts";

/** A short run of the fuzzers, and the fuzzer itself. */

/** The same for every run, unless SEED is set. */
const SEED = Number(process.env["SEED"] ?? 1);
const CASES = 12_000;

for (const target of TARGETS) {
  test(`${CASES} damaged ${target.name} are refused or read, and nothing else`, () => {
    const { accepted } = fuzz(target, SEED, CASES);
    // Only refusals, or none, would prove little.
    assert.ok(accepted >= corpusOf(target.name).length / 2 && accepted < CASES, String(accepted));
  });
}

const [datagrams] = TARGETS as [Target];
const broken = (changes: Partial<Target>) => () => fuzz({ ...datagrams, ...changes }, SEED, CASES);

test("a decoder that throws another error now and then is found, with seed and input", () => {
  const decode = (input: Uint8Array) => {
    if (input.length > 3 && input[3] === 0x80) throw new RangeError("out of range");
    return datagrams.decode(input);
  };
  assert.throws(broken({ decode }), (error) => {
    assert.ok(error instanceof FuzzError);
    return /^SEED=1 TARGET=datagrams: it throws another error: [0-9a-f]+$/.test(error.message);
  });
});

test("a decoder that reads something else the second time is found", () => {
  let calls = 0;
  const check = () => assert.ok(++calls < 100);
  assert.throws(broken({ check }), /it is not the same when it is read again/);
});

test("a decoder that keeps too much memory is found", () => {
  const kept: Uint8Array[] = [];
  const decode = (input: Uint8Array) => {
    if (kept.length < 600) kept.push(new Uint8Array(1024 * 1024));
    return datagrams.decode(input);
  };
  assert.throws(broken({ decode }), /it took too much memory/);
});
