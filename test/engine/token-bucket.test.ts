import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenBucket } from "../../src/engine/sender/token-bucket.ts";

/** The most that was sent in any 100 ms. */
function mostIn100Ms(sends: readonly { atMs: number; fragments: number }[]): number {
  let most = 0;
  let sum = 0;
  let first = 0;
  for (const { atMs, fragments } of sends) {
    sum += fragments;
    while (sends[first]!.atMs <= atMs - 100) sum -= sends[first++]!.fragments;
    most = Math.max(most, sum);
  }
  return most;
}

/** Sends as fast as the bucket allows, with a clock that is looked at every so many milliseconds. */
function sendFor(bucket: TokenBucket, durationMs: number, clockMs: number, startMs = 0) {
  const sends: { atMs: number; fragments: number }[] = [];
  for (let nowMs = startMs; nowMs < startMs + durationMs; nowMs += clockMs) {
    for (const fragments = bucket.largestSend; bucket.readyMs(fragments, nowMs) <= nowMs;) {
      bucket.take(fragments);
      sends.push({ atMs: nowMs, fragments });
    }
  }
  return sends;
}

for (const perSecond of [100, 1_000, 8_434, 84_345]) {
  for (const clockMs of [0.01, 1.1]) {
    test(`${perSecond} fragments a second, looked at every ${clockMs} ms, are nearly reached and never exceeded`, () => {
      const bucket = new TokenBucket(perSecond / 1000);
      sendFor(bucket, 10, clockMs);
      const sends = sendFor(bucket, 5000, clockMs, 500);
      const sent = sends.reduce((sum, one) => sum + one.fragments, 0);
      assert.ok(mostIn100Ms(sends) <= perSecond / 10 + 1e-6, `${mostIn100Ms(sends)} in 100 ms`);
      // So slow a rate as 100 has no room for one that comes late.
      const share = perSecond === 100 ? 0.8 : 0.95;
      assert.ok(sent >= share * 5 * perSecond, `${sent} in 5 s`);
    });
  }
}

test("a send holds no more than the rate gives in one and a half milliseconds", () => {
  assert.equal(new TokenBucket(Infinity).largestSend, 44);
  assert.equal(new TokenBucket(84.3).largestSend, 44);
  assert.equal(new TokenBucket(8.4).largestSend, 12);
  assert.equal(new TokenBucket(0.01).largestSend, 1);
});

test("what was taken beyond the bucket is made up for", () => {
  const bucket = new TokenBucket(1);
  bucket.readyMs(1, 0);
  bucket.take(100);
  assert.ok(bucket.readyMs(1, 0) > 95);
  assert.ok(bucket.readyMs(1, 0) < 110);
});

test("a very low rate flows in at half of it, so that it is held over a second as well", () => {
  const bucket = new TokenBucket(0.01);
  assert.equal(bucket.readyMs(1, 0), 0);
  bucket.take(1);
  assert.equal(bucket.readyMs(1, 0), 200);
});

test("what a bucket holds beyond its new depth is gone with a lower rate", () => {
  const bucket = new TokenBucket(100);
  assert.equal(bucket.readyMs(44, 0), 0);
  bucket.setRate(1, 0);
  assert.equal(bucket.readyMs(3, 0), 0);
  assert.equal(bucket.readyMs(4, 0), 1 / 0.97);
});
