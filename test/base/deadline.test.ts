import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadline } from "../../src/base/deadline.ts";

test("a deadline that is not set never comes", () => {
  const deadline = new Deadline();
  assert.ok(!deadline.isSet);
  assert.equal(deadline.atMs, Infinity);
  assert.ok(!deadline.take(Number.MAX_VALUE));
});

test("a deadline can be moved both ways, or only to an earlier time", () => {
  const deadline = new Deadline();
  deadline.setNoLater(20);
  assert.ok(deadline.isSet);
  deadline.setNoLater(30);
  assert.equal(deadline.atMs, 20);
  deadline.setNoLater(10);
  assert.equal(deadline.atMs, 10);
  deadline.set(40);
  assert.equal(deadline.atMs, 40);
});

test("a deadline that has passed is taken once, and not before its time", () => {
  const deadline = new Deadline();
  deadline.set(20);
  assert.ok(!deadline.take(19.9));
  assert.ok(deadline.isSet);
  assert.ok(deadline.take(20));
  assert.ok(!deadline.isSet);
  assert.ok(!deadline.take(21));
  assert.equal(deadline.atMs, Infinity);
});

test("a cleared deadline is not taken", () => {
  const deadline = new Deadline();
  deadline.set(1);
  deadline.clear();
  assert.ok(!deadline.isSet && !deadline.take(5));
});
