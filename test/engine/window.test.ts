import assert from "node:assert/strict";
import { test } from "node:test";
import { GroupWindow, inFlightShare, MemberWindow, Window } from "../../src/engine/window.ts";
import { BLOCK_FRAGMENTS } from "../../src/wire/limits.ts";

test("a window has room for as many blocks as it is large, and moves on with its first block", () => {
  const window = new Window(10);
  assert.deepEqual([window.start, window.end, window.room(0), window.room(10)], [0, 10, 10, 0]);
  window.moveTo(4);
  assert.deepEqual([window.start, window.end, window.room(10)], [4, 14, 4]);
});

test("two blocks of one window never share a row", () => {
  const window = new Window(10);
  for (const start of [0, 7, 1_000_003]) {
    window.moveTo(start);
    const rows = Array.from({ length: 10 }, (_, index) => window.rowOf(start + index));
    assert.deepEqual(
      rows.toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
  }
});

test("before its first STATUS a member takes two blocks", () => {
  const member = new MemberWindow();
  assert.ok(!member.isFull(0, 0));
  assert.ok(!member.isFull(1, BLOCK_FRAGMENTS));
  assert.ok(member.isFull(2, BLOCK_FRAGMENTS), "blocks");
  assert.ok(member.isFull(1, BLOCK_FRAGMENTS + 1), "fragments");
});

test("a STATUS that comes late moves neither the window nor what was seen back", () => {
  const member = new MemberWindow();
  member.update(20, 500, 300);
  member.update(12, 400, 200);
  assert.deepEqual([member.end, member.seen, member.inFlight, member.sendLimit], [20, 500, 200, 700]);
});

test("the narrowest member bounds all, until it leaves", () => {
  const group = new GroupWindow(2);
  const [wide, narrow] = [new MemberWindow(), new MemberWindow()];
  wide.update(30, 600, 400);
  narrow.update(20, 500, 50);
  group.note(0, wide);
  assert.deepEqual([group.end, group.sendLimit], [2, 2 * BLOCK_FRAGMENTS], "the other has not answered");
  group.note(1, narrow);
  assert.deepEqual([group.end, group.sendLimit, group.leastInFlight], [20, 550, 50]);
  group.leave(1);
  assert.deepEqual([group.end, group.sendLimit, group.leastInFlight], [30, 1000, 400]);
});

test("transfers share the socket buffer of their node, and each may have one fragment in flight", () => {
  assert.deepEqual([inFlightShare(100, 0), inFlightShare(100, 3), inFlightShare(2, 8)], [100, 33, 1]);
});

test("a member that takes nothing at all gets one fragment at a time", () => {
  const group = new GroupWindow(1);
  const member = new MemberWindow();
  member.update(10, 0, 0);
  group.note(0, member);
  assert.deepEqual([group.leastInFlight, group.sendLimit], [1, 0]);
});
