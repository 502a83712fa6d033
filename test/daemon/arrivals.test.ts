import assert from "node:assert/strict";
import { test } from "node:test";
import { Arrivals } from "../../src/daemon/pushes/arrivals.ts";

/** Keeps the processor busy, as a look at very many members does. */
function work(durationMs: number): void {
  for (const endMs = performance.now() + durationMs; performance.now() < endMs;);
}

test("a request whose looks take long looks rarely", async () => {
  const arrivals = new Arrivals();
  let looks = 0;
  const end = new AbortController();
  const waiting = arrivals.wait(
    () => {
      looks++;
      work(20);
      return false;
    },
    60_000,
    end.signal,
  );
  arrivals.onEvent({ kind: "member-joined" });
  // At once after the first look, and then not for four seconds.
  for (let change = 0; change < 50; change++) arrivals.onEvent({ kind: "member-left" });
  assert.equal(looks, 2);
  end.abort();
  assert.equal(await waiting, false);
});

test("a request looks at each change of the members, and between them", async () => {
  const arrivals = new Arrivals();
  let members = 0;
  const { signal } = new AbortController();
  const waiting = arrivals.wait(() => members >= 2, 60_000, signal);
  arrivals.onEvent({ kind: "member-joined" });
  members = 2;
  assert.equal(await waiting, true);
});
