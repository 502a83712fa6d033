import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../src/base/assert.ts";
import { ReceiverLife } from "../../src/engine/receiver/states.ts";
import { SenderLife } from "../../src/engine/sender/states.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";

test("a transfer goes from state to state as its table says, and no other way", () => {
  const life = new SenderLife();
  assert.throws(() => life.become("committing"), InvariantError);
  assert.equal(life.state, "sending");
  for (const state of ["ordering", "committing", "finished"] as const) {
    life.become(state);
    assert.equal(life.state, state);
  }
  assert.throws(() => life.become("sending"), InvariantError);
});

test("at a member, nothing but the disk ends a transfer once it is decided", () => {
  const life = new ReceiverLife();
  for (const state of ["preparing", "ready", "ordered", "decided"] as const) life.become(state);
  assert.throws(() => life.become("failed"), InvariantError);
  assert.equal(life.phase, MemberPhase.committing);
  life.become("committing");
  life.become("failed");
  assert.ok(!life.isGoingOn);
  assert.equal(life.phase, MemberPhase.failed);
});

test("a failure that concerns all is reported as refused", () => {
  const life = new ReceiverLife();
  life.become("preparing");
  life.refuse();
  life.become("failed");
  assert.equal(life.phase, MemberPhase.refused);
});
