import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event, SendResult, UndoRequest } from "../../src/console/protocol.ts";
import { undo, type UndoParts } from "../../src/daemon/pushes/undo.ts";
import type { Asked } from "../../src/daemon/pushes/transfers.ts";
import { PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import { idOf } from "../../src/engine/catch-up/undo-choice.ts";
import { reasonOf, sentence } from "../../src/base/reason.ts";
import type { Publication, Scope } from "../../src/wire/publication.ts";

/** What `msync --undo` asks for, and what it makes of the answers. */

const EPOCH = "ee".repeat(8);
const REQUEST: UndoRequest = { command: "undo", id: "", detail: "none", progress: false };
const DONE = { outcome: "done", reason: "" } as const;

function push(number: number, more: Partial<Scope> = {}): Publication {
  const scope: Scope = {
    ...{ paths: [`d${number}`], recursive: true, deletes: "also", syncs: false, sendsAttributes: false },
    ...{ isPartial: false, excludes: [], targets: [], excepts: [], ...more },
  };
  const names = { nodeId: "22".repeat(16), epoch: "bb".repeat(8), number, user: "root", host: "web1" };
  return { ...names, place: number, timeMs: 1, scope };
}

interface Attempt extends Asked {
  readonly undoes: Publication;
}

/** A daemon with two members, host1 and host2, whose transfers end as a test says. */
class Daemon {
  readonly log = new PublicationLog({ hostName: "self", ip: "10.0.0.9", labels: [] });
  readonly attempts: Attempt[] = [];
  readonly events: Event[] = [];
  readonly cancelled: string[] = [];
  kept = 5;
  /** Whether a push has come last that is not in the log. */
  hasUnlogged = false;
  /** What members tell of their logs, by their epochs. */
  readonly told = new Map<string, { digest: string; behind: number; lacks: number }>();
  /** Called where the command waits. */
  onWait: () => void = () => undefined;

  constructor(...pushes: Publication[]) {
    for (const one of pushes) this.log.add(one, { atMs: 1, list: idOf(one), reason: "" });
  }

  run(result: (attempt: Attempt) => object, request: Partial<UndoRequest> = {}): Promise<SendResult> {
    const hosts = new Map(["1", "2"].map((one) => [one.repeat(16), `host${one}`]));
    const takeBack = (choose: () => Asked) => {
      const asked = choose() as Attempt;
      this.attempts.push(asked);
      asked.onStart?.(7, asked.own === undefined ? hosts : new Map([...hosts, [EPOCH, asked.own.hostName]]));
      return Promise.resolve({ exitStatus: 0, hosts: [], ...result(asked) });
    };
    const parts = {
      engine: {
        catchUp: { log: this.log, tellings: { heard: (epoch: string) => this.told.get(epoch) } },
        membership: { members: [], memberOf: (epoch: string) => this.told.get(epoch) },
      },
      catchUp: {
        ...{ state: { catchesUp: true }, stateOf: () => undefined, statusText: "" },
        unlogged: { isAfter: () => this.hasUnlogged },
      },
      transfers: { takeBack, cancel: (_: number, why: string) => this.cancelled.push(why) },
      arrivals: { wait: () => Promise.resolve(this.onWait()) },
      identity: { nodeId: "99".repeat(16), epoch: EPOCH },
      settings: { undo: this.kept, hostName: "self" },
      transport: { ownAddress: { ip: "10.0.0.9", port: 5000 } },
    };
    const emit = (event: Event) => this.events.push(event);
    const { signal } = new AbortController();
    return undo(parts as unknown as UndoParts, { ...REQUEST, ...request }, undefined, emit, signal);
  }
}

const note = (host: string): Event => {
  const reason = sentence("undo-follows");
  return { event: "note", host, path: "", reason, cause: reasonOf(reason) };
};

/** A host has another log. */
const OTHER_LOG = {
  aborted: `host1: ${sentence("undo-other-log")}`,
  exitStatus: 6,
  hosts: [{ host: "host1", outcome: "failed", cause: reasonOf(sentence("undo-other-log")) }],
};

test("the host where it runs takes part as any other", async () => {
  const daemon = new Daemon(push(1));
  await daemon.run(() => ({}));
  const own = { epoch: EPOCH, hostName: "self", address: { ip: "10.0.0.9", port: 5000 } };
  assert.deepEqual(daemon.attempts[0]?.own, own);
  assert.deepEqual(daemon.events, []);
});

test("a push before one that is not in the log is taken back by its id alone", async () => {
  const daemon = new Daemon(push(1));
  daemon.hasUnlogged = true;
  await assert.rejects(
    daemon.run(() => ({})),
    /^UserError: the last push cannot be taken back, because it is not in the log: .* the one before it is b{16}-1$/,
  );
  await daemon.run(() => ({}), { id: "bb" });
  assert.deepEqual(
    daemon.attempts.map(({ undoes }) => undoes.number),
    [1],
  );
});

test("a host that a push was not for keeps its files, and says so", async () => {
  const daemon = new Daemon(push(1, { targets: ["host1"] }));
  await daemon.run(() => ({ hosts: [{ host: "host1", ...DONE }] }));
  assert.equal(daemon.attempts[0]?.own, undefined);
  assert.deepEqual(
    daemon.events.map((event) => event.event === "note" && [event.host, event.cause?.code]),
    [["self", "undo-not-for"]],
  );
});

test("if the logs differ, the same push is taken back a little later, though another one has come", async () => {
  const daemon = new Daemon(push(1));
  daemon.onWait = () => daemon.log.add(push(2), { atMs: 1, list: "", reason: "" });
  const result = await daemon.run((attempt) => {
    attempt.emit(note("host2"));
    attempt.emit({
      event: "member-failed",
      host: "host1",
      reason: "",
      cause: reasonOf(OTHER_LOG.hosts[0]!.cause.code),
    });
    return daemon.attempts.length < 3 ? OTHER_LOG : { hosts: [{ host: "host1", ...DONE }] };
  });
  assert.equal(result.exitStatus, 0);
  assert.deepEqual(
    daemon.attempts.map(({ undoes }) => undoes.number),
    [1, 1, 1],
  );
  assert.equal(daemon.events.filter(({ event }) => event === "note").length, 1, "a note is told once");
  const isRepeated = daemon.attempts.map((attempt) =>
    attempt.isToBeRepeated?.({ ...OTHER_LOG } as unknown as SendResult),
  );
  assert.deepEqual(isRepeated, [true, true, true]);
});

test("hosts that have failed during the switch have changed, and nobody is told that nothing was", async () => {
  const daemon = new Daemon(push(1));
  const reason = `all is new but d/f: ${sentence("undo-gone")}`;
  const hosts = [{ host: "host1", outcome: "failed", reason, cause: reasonOf(reason) }];
  const { aborted, exitStatus } = await daemon.run(() => ({ exitStatus: 3, hosts }));
  assert.deepEqual([aborted, exitStatus, daemon.attempts.length], [undefined, 3, 1]);
});

test("logs that stay different are an error after a while", async () => {
  const daemon = new Daemon(push(1));
  const result = await daemon.run(() => OTHER_LOG);
  assert.equal(result.aborted, OTHER_LOG.aborted);
  assert.equal(daemon.attempts.length, 6);
  const last = daemon.attempts.at(-1)?.isToBeRepeated?.({ ...OTHER_LOG } as unknown as SendResult);
  assert.equal(last, false, "the history has the last one");
});

test("what fails for another reason is not repeated", async () => {
  const daemon = new Daemon(push(1));
  await daemon.run(() => ({ aborted: "host1: no", hosts: [{ host: "host1", cause: reasonOf("no") }] }));
  assert.equal(daemon.attempts.length, 1);
});

for (const [lacksAfter, status] of [
  [77, 0],
  [78, 3],
] as const)
  test(`a host that lacks another push ${status === 0 ? "has" : "does not have"} the former files`, async () => {
    const daemon = new Daemon(push(1));
    const host1 = "1".repeat(16);
    daemon.told.set(host1, { digest: daemon.log.digest, behind: 1, lacks: 77 });
    const result = await daemon.run((attempt) => {
      attempt.emit(note("host1"));
      daemon.told.set(host1, { digest: daemon.log.digest, behind: 1, lacks: lacksAfter });
      return {
        hosts: [
          { host: "host1", ...DONE },
          { host: "host2", ...DONE },
        ],
      };
    });
    assert.equal(result.exitStatus, status);
    assert.equal(result.hosts[0]?.cause?.code, status === 0 ? undefined : "undo-behind");
  });

for (const [followers, isCancelled] of [
  [["host1", "host2", "self"], true],
  [["host1", "host2"], false],
  [["host1", "self"], false],
] as const) {
  test(`${followers.join(", ")} get the former files from others: ${isCancelled ? "there are none" : "one has them"}`, async () => {
    const daemon = new Daemon(push(1));
    await daemon.run((attempt) => {
      for (const host of followers) attempt.emit(note(host));
      return {};
    });
    assert.deepEqual(daemon.cancelled, isCancelled ? [sentence("undo-nobody", idOf(push(1)))] : []);
  });
}

test("a host that keeps nothing changes nothing, and says which setting forbids it", async () => {
  const daemon = new Daemon(push(1));
  daemon.kept = 0;
  await assert.rejects(
    daemon.run(() => ({})),
    { exitStatus: 6, message: /set 'undo = 10'/ },
  );
});

test("an id may be typed in capitals", async () => {
  const daemon = new Daemon(push(1), push(2));
  await daemon.run(() => ({}), { id: idOf(push(1)).toUpperCase() });
  assert.equal(daemon.attempts[0]?.undoes.number, 1);
});
