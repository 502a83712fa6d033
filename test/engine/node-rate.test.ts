import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { NodeEngine } from "../../src/engine/node.ts";
import type { Effect, Member } from "../../src/engine/types.ts";
import { BlockKind, SEALED_BLOCK_BYTES } from "../../src/wire/datagram.ts";
import { BLOCK_FRAGMENTS } from "../../src/wire/limits.ts";
import type { ControlMessage } from "../../src/wire/message.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";

/** A node that sends, and a member of it that takes everything at once. */

const SELF = { nodeId: "a".repeat(32), epoch: "a".repeat(16), address: { ip: "10.0.0.1", port: 5000 } };
const OTHER = { nodeId: "b".repeat(32), epoch: "b".repeat(16) };
const SOURCE = { ip: "10.0.0.2", port: 5000 };
const INFO = { hostName: "other", version: "1", protocol: 3, receives: true, sends: true, labels: [] };

class SendingNode {
  readonly engine: NodeEngine;
  readonly sends: { atMs: number; transfer: number; fragments: number }[] = [];
  private nowMs = 0;

  constructor(fragmentsPerSecond: number) {
    const options = { windowBlocks: 256, socketFragments: 10_000, fragmentsPerSecond };
    this.engine = new NodeEngine(SELF, { ...INFO, hostName: "self" }, options, new SeededRandom(1));
    this.hear({ type: "hello", body: { info: INFO } });
    this.runFor(100);
    assert.equal(this.engine.membership.size, 1);
  }

  start(transfer: number): void {
    const targets: Member[] = [...this.engine.membership.members];
    const request = { transfer, targets, dryRun: false, allOrNothing: false };
    this.engine.handle({ kind: "start-transfer", request }, this.nowMs);
  }

  runFor(durationMs: number): void {
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs; this.nowMs += 0.5) {
      this.engine.handle({ kind: "tick" }, this.nowMs);
      this.carryOut();
    }
  }

  private hear(message: ControlMessage): void {
    this.engine.handle({ kind: "message", from: OTHER, source: SOURCE, message }, this.nowMs);
    this.carryOut();
  }

  private carryOut(): void {
    for (let effect = this.engine.poll(); effect !== undefined; effect = this.engine.poll())
      this.execute(effect);
  }

  private execute(effect: Effect): void {
    if (effect.kind === "send" && effect.message.type === "challenge") {
      const body = {
        answer: effect.message.body.nonce,
        nonce: "0".repeat(32),
        to: SELF.epoch,
        from: SOURCE,
        info: INFO,
      };
      this.hear({ type: "response", body });
    } else if (effect.kind === "produce") {
      const block = { kind: BlockKind.data, sealedBytes: SEALED_BLOCK_BYTES, entries: 0 };
      const blocks = Array.from({ length: effect.count }, () => block);
      const { transfer } = effect;
      const common = { transfer, state: "more", failure: undefined, unreadable: 0 } as const;
      this.engine.handle({ kind: "produced", blocks, ...common }, this.nowMs);
    } else if (effect.kind === "send-block") this.noteSend(effect);
  }

  private noteSend(effect: Extract<Effect, { kind: "send-block" }>): void {
    const { transfer, block, maskLow, maskHigh, stamp } = effect;
    let fragments = 0;
    for (const mask of [maskLow, maskHigh]) for (let rest = mask; rest !== 0; rest &= rest - 1) fragments++;
    this.sends.push({ atMs: this.nowMs, transfer, fragments });
    this.engine.handle({ kind: "sent", transfer }, this.nowMs);
    // Every tenth block is missed the first time.
    const isMissed = block % 10 === 0 && stamp < block * BLOCK_FRAGMENTS * 1.05;
    const status = {
      sender: SELF.epoch,
      transfer,
      phase: MemberPhase.receiving,
      stamp: (stamp + fragments) >>> 0,
      stagedBelow: block,
      windowEnd: block + 256,
      inFlight: 10_000,
      received: (stamp + fragments) >>> 0,
      missingRuns: [],
      missingFragments: isMissed ? [{ block, maskLow, maskHigh }] : [],
      wants: [],
      reason: "",
      findings: 0,
      worked: 0,
      admission: 1,
      ahead: 0,
      order: 0,
    };
    this.hear({ type: "status", body: status });
  }
}

function mostIn100Ms(sends: SendingNode["sends"]): number {
  const within = (endMs: number) =>
    sends.reduce(
      (sum, { atMs, fragments }) => (atMs > endMs - 100 && atMs <= endMs ? sum + fragments : sum),
      0,
    );
  return Math.max(...sends.map(({ atMs }) => within(atMs)));
}

test("three transfers at a time share one rate, held over any 100 ms, and none of them starves", () => {
  const perSecond = 8_434;
  const node = new SendingNode(perSecond);
  for (const transfer of [1, 2, 3]) node.start(transfer);
  node.runFor(3000);
  const total = (transfer?: number) =>
    node.sends.reduce(
      (sum, one) => sum + (one.transfer === (transfer ?? one.transfer) ? one.fragments : 0),
      0,
    );
  assert.ok(mostIn100Ms(node.sends) <= perSecond / 10, `${mostIn100Ms(node.sends)} in 100 ms`);
  assert.ok(total() > 0.9 * 3 * perSecond, `${total()} in 3 s`);
  for (const transfer of [1, 2, 3]) {
    const share = total(transfer) / total();
    assert.ok(share > 0.2 && share < 0.5, `transfer ${transfer} has a share of ${share}`);
  }
});
