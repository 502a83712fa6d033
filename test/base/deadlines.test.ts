import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "../../src/base/deadlines.ts";

const fresh = () => new Deadlines<"poll" | "send">();

test("without deadlines the next one is never", () => {
  assert.equal(fresh().nextMs(), Infinity);
});

test("the earliest deadline is the next one", () => {
  const deadlines = fresh();
  deadlines.set("poll", 20);
  deadlines.set("send", 10);
  assert.equal(deadlines.nextMs(), 10);
  deadlines.clear("send");
  assert.equal(deadlines.nextMs(), 20);
});

test("a deadline can be moved both ways, or only to an earlier time", () => {
  const deadlines = fresh();
  deadlines.set("poll", 20);
  deadlines.setNoLater("poll", 30);
  assert.equal(deadlines.nextMs(), 20);
  deadlines.setNoLater("poll", 10);
  assert.equal(deadlines.nextMs(), 10);
  deadlines.set("poll", 40);
  assert.equal(deadlines.nextMs(), 40);
  deadlines.setNoLater("send", 50);
  assert.ok(deadlines.isSet("send"));
});

test("a deadline that has passed is taken once, and not before its time", () => {
  const deadlines = fresh();
  deadlines.set("poll", 20);
  deadlines.set("send", 30);
  assert.ok(!deadlines.take("poll", 19.9));
  assert.ok(deadlines.isSet("poll"));
  assert.ok(deadlines.take("poll", 20));
  assert.ok(!deadlines.take("poll", 21));
  assert.ok(!deadlines.isSet("poll"));
  assert.equal(deadlines.nextMs(), 30, "the other one stays");
});

test("cleared deadlines are not taken", () => {
  const deadlines = fresh();
  deadlines.set("poll", 1);
  deadlines.set("send", 2);
  deadlines.clearAll();
  assert.ok(!deadlines.take("poll", 5) && !deadlines.take("send", 5));
  assert.equal(deadlines.nextMs(), Infinity);
});
