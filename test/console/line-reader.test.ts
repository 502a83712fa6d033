import assert from "node:assert/strict";
import { test } from "node:test";
import { below, SeededRandom } from "../../src/base/random.ts";
import { LineReader } from "../../src/console/protocol.ts";

function reader(most: number) {
  const lines: string[] = [];
  const lineReader = new LineReader(most, (line) => lines.push(line));
  return { lines, push: (text: string) => lineReader.push(text) };
}

test("lines come out whole, however they came in", () => {
  const random = new SeededRandom(1);
  const text =
    Array.from({ length: 50 }, (_, index) => "x".repeat(below(random, 30)) + index).join("\n") + "\n";
  for (let round = 0; round < 100; round++) {
    const { lines, push } = reader(100);
    for (let start = 0; start < text.length;) {
      const end = start + 1 + below(random, 60);
      assert.ok(push(text.slice(start, end)));
      start = end;
    }
    assert.deepEqual(lines, text.trimEnd().split("\n"));
  }
});

test("a line without its end is not given out", () => {
  const { lines, push } = reader(100);
  assert.ok(push("status"));
  assert.deepEqual(lines, []);
  assert.ok(push("\nmem"));
  assert.deepEqual(lines, ["status"]);
});

test("empty lines are passed over", () => {
  const { lines, push } = reader(100);
  push("\n\na\n\n\nb\n");
  push("\n");
  assert.deepEqual(lines, ["a", "b"]);
});

test("a line may be as long as the limit, and not longer", () => {
  const { push } = reader(10);
  assert.ok(push("0123456789"));
  assert.ok(!push("x"));
  assert.ok(!reader(10).push("0123456789x"));
  assert.ok(reader(10).push("0123456789\n"));
  const { lines, push: pushWhole } = reader(10);
  assert.ok(!pushWhole("a\n0123456789x\nb\n"), "even when its end has come with it");
  assert.deepEqual(lines, ["a"]);
});

test("a line that grows without end is stopped at once", () => {
  const { push } = reader(1000);
  let pushed = 0;
  while (pushed < 10_000 && push("x".repeat(64))) pushed += 64;
  assert.ok(pushed <= 1000);
});

test("many lines in one piece are no long line", () => {
  const { lines, push } = reader(10);
  assert.ok(push("0123456\n".repeat(1000)));
  assert.equal(lines.length, 1000);
});

test("the limit counts from the last line's beginning", () => {
  const { lines, push } = reader(10);
  assert.ok(push("01234567"));
  assert.ok(push("\n01234567"));
  assert.ok(push("\n"));
  assert.deepEqual(lines, ["01234567", "01234567"]);
});
