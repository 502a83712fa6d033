import { SeededRandom } from "../../src/base/random.ts";
import { CatchUp } from "../../src/engine/catch-up/catch-up.ts";
import { type Here, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import { CommitOrder } from "../../src/engine/commit-order.ts";
import type { Effect, Member } from "../../src/engine/types.ts";
import type { Publication, Scope } from "../../src/wire/publication.ts";

/** One node that catches up, with members that a test plays. */

export const HERE: Here = { atMs: 1, list: "", reason: "" };
const SENDER = "aa".repeat(8);
const SCOPE: Scope = {
  ...{ paths: ["www"], recursive: true, deletes: "nothing", syncs: false, sendsAttributes: false },
  ...{ isPartial: false, excludes: [], targets: [], excepts: [] },
};

export function publication(number: number, scope: Partial<Scope> = {}): Publication {
  const names = { nodeId: "01".repeat(16), epoch: SENDER, number, place: number * 10 };
  return { ...names, timeMs: 0, user: "", host: "h", scope: { ...SCOPE, ...scope } };
}

export const member: Member = {
  ...{ nodeId: "01".repeat(16), epoch: SENDER, joinedMs: 0, address: { ip: "10.0.0.1", port: 1 } },
  info: { hostName: "host1", version: "1", protocol: 3, receives: true, sends: true, labels: [] },
};

/**
 * A node with a log, at the time 0.
 *
 * @param isOn whether it catches up by itself
 * @param isRecovering whether its start is not over
 */
export function begin(
  kept: readonly (readonly [Publication, Here])[] = [],
  isOn = true,
  isRecovering = false,
) {
  const log = new PublicationLog({ hostName: "host2", ip: "10.0.0.2", labels: [] });
  for (const [one, here] of kept) log.add(one, here);
  const effects: Effect[] = [];
  const state = { isIdle: true, members: [] as Member[] };
  const catchUp = new CatchUp(
    {
      ...{ selfNodeId: "02".repeat(16), random: new SeededRandom(1), effects, places: new CommitOrder() },
      memberOf: (epoch) => state.members.find((one) => one.epoch === epoch),
      members: () => state.members,
      isHeardSince: () => true,
      isIdle: () => state.isIdle,
    },
    { log, isOn, isRecovering, lastEpoch: undefined },
  );
  const learn = (one: Publication, here: Here) => {
    log.add(one, here);
    catchUp.logged(0);
  };
  /** What it asks of the disk and of its members. */
  const asked = () =>
    effects.splice(0).flatMap((effect) => {
      if (effect.kind === "commit") return `commit ${effect.key.transfer} at ${effect.order}`;
      if (effect.kind === "discard") return `discard ${effect.key.transfer}`;
      return effect.kind === "send" && effect.message.type === "ask" ? "ask" : [];
    });
  /** What it says to its members. */
  const said = () =>
    effects.splice(0).flatMap((effect) => {
      if (effect.kind === "serve") return `serve ${effect.positions.join(" ")}`;
      if (effect.kind !== "send") return [];
      const { type, body } = effect.message;
      if (type === "answer") return body.serves ? "answer" : `answer: ${body.reason}`;
      return type === "served" ? `served ${body.brought.join(" ")}` : type;
    });
  const names = (...numbers: number[]) => numbers.map((transfer) => ({ epoch: SENDER, transfer }));
  const keyOf = (transfer: number) => ({ epoch: SENDER, transfer, admission: 0 });
  return { log, state, effects, catchUp, learn, asked, said, names, keyOf };
}
